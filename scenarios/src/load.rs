//! The flows under load: how slow is the slow one in twenty, and how much load is too much.
//!
//! - `plan`: which flows, at how many users and at which rates, for how long.
//! - `run`: both sides answer alike first (`verify`), then the closed loop under
//!   goose (`closed`), then arrivals at a fixed rate (`open`).
//! - `schedule`: the two sides alternate in short windows, so that both see the same minute
//!   of the machine.
//! - `tape`: what a window leaves behind: an HDR histogram that merges exactly.
//! - `restore`: messages that were sent are taken back between windows.
//! - `evidence`: from tapes to figures with verdicts; `merge`: several generators'
//!   results as one.

mod client;
mod closed;
mod error;
mod evidence;
#[cfg(test)]
mod knock;
mod merge;
mod open;
mod plan;
mod restore;
mod run;
mod schedule;
mod tape;
mod verify;

pub(crate) mod http {
    //! Where the flows find the client that asks one request at a time.
    pub use super::client::Http;
}

pub use error::{Error, Result};
pub use merge::merge;
pub use plan::LoadPlan;
pub use restore::{Pools, Restore};
pub use run::{LoadOutcome, LoadWatcher, Target, run};
