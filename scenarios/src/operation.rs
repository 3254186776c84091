//! An operation: how its requests are drawn, how it is called, and what a right answer is.
//!
//! The check, the samples of the timed calls and the samples of the load hold answers to one
//! comparator, [`Operation::hold`].
//!
//! - `contract`: what an item's file says of an operation.
//! - `ask`: asking once, and asking again around a write.
//! - `check`: drawn requests, and writes between them.
//! - `probe`: the calls that are counted and timed.
//! - `any`: an operation whose types are erased.
//! - `through`: an operation whose answers go through other hands.

mod any;
mod ask;
mod check;
mod contract;
mod probe;
mod through;

pub use any::{AnyOperation, erase};
pub use check::{Check, Effort};
pub use contract::{
    Between, Ladder, Leaves, Operation, ROUND_TRIPS, event_rungs, made, no_such_variant, over_lines,
};
pub use probe::Probe;
pub use through::{Answer, Hands};
