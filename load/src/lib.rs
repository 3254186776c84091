//! The flows under load: how slow is the slow one in twenty, and how much load is too much.
//!
//! - [`flows`]: what is asked, and what a right answer is.
//! - `plan`: which flows, at how many users and at which rates, for how long.
//! - `run`: both sides answer rightly first (`verify`), then the closed loop under goose
//!   (`closed`), then arrivals at a fixed rate (`open`).
//! - `schedule`: the two sides alternate in short windows, so that both see the same minute
//!   of the machine.
//! - `tape`: what a window leaves behind: an HDR histogram that merges exactly, and a sample of
//!   its answers (`samples`) that is held to the oracle before the next window opens.
//! - `sent_log`: messages that were sent are held to what is stored, and taken back, between
//!   windows.
//! - `changes`: writes into what is read, before each window and in the middle of it; `moments`:
//!   what is right from one write to the next.
//! - `databases`: where that is written to, and past which cache.
//! - `client`: requests outside of goose, and when a service is given up; `body`: how much of an
//!   answer is read.
//! - `stillness`: whether the service answers anybody at all.
//! - `usage`: what the generator itself takes of the machine.
//! - `evidence`: from tapes to figures with verdicts; `findings`: those of one flow; `merge`:
//!   several generators' results as one.

mod answers;
mod body;
mod changes;
mod client;
mod closed;
mod databases;
mod error;
mod evidence;
mod findings;
pub mod flows;
mod hush;
#[cfg(test)]
mod knock;
mod merge;
mod moments;
mod open;
mod outcome;
mod per_side;
mod plan;
mod run;
mod samples;
mod schedule;
mod sent_log;
mod server_timing;
mod service_url;
mod stillness;
mod tape;
mod usage;
mod verify;

pub use databases::Databases;
pub use error::{Error, Result};
pub use merge::merge;
pub use outcome::LoadOutcome;
pub use per_side::PerSide;
pub use plan::LoadPlan;
pub use run::{LoadWatcher, interrupt, interrupted, run};
pub use service_url::ServiceUrl;
