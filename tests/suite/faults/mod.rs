//! What is done to Verdict from outside, at any moment: whatever it is, nothing is left running,
//! nothing half-made is taken for whole, earlier results stand, and one line says what happened.

mod builders;
mod damage;
mod deaths;
mod moments;
mod paths;
mod readers;
mod scene;
mod serving;
mod writers;

pub(crate) use self::readers::generated;
pub(crate) use self::scene::whole;
