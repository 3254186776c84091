//! Machine-made faults: what a variant's own calls send to PostgreSQL and ClickHouse is changed on
//! the wire, one small fault at a time, and the answers are held to the oracle as in a trial. A
//! fault that passes says where the draws or the oracle are too weak.
//!
//! [`mod@bench`] records the statements of every variant that is right, makes [`Mutant`]s of each
//! ([`mutate`]), of the functions that its change makes ([`mutate_script`]) and of what its change
//! has ClickHouse do, jobs included, and judges them one by one; [`score`] sums up. Survivors that
//! were looked at and can make no difference are in [`equivalent`], each with its reason.

pub mod bench;
pub mod equivalent;
mod interpose;
mod mutant;
mod mutators;
pub mod score;
mod specimen;
mod sql;
mod template;
mod tokens;

pub use bench::{Bench, Outcome, is_seen};
pub use mutant::{Kind, Mutant};
pub use mutators::{mutate, mutate_script};
pub use specimen::{Sender, Sent, Specimen};
pub use template::Template;
