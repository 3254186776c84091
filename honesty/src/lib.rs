//! The figures themselves on trial.
//!
//! - [`itself`]: today against itself. Every ratio's true value is 1, so the intervals should
//!   miss it about as often as they say, and a whole run should judge nothing.
//! - [`power`]: today against today with a busy wait in it. How often is it found?
//! - [`saved`]: what a call of a fix saves, by three clocks: the caller's, the engine's own and
//!   another client's. They should agree.
//!
//! The cells are a trial's own
//! ([`verdict_scenarios::court::Court::against_itself`]), and the statements are those that
//! the calls send ([`calls`]).

mod bare;
mod busy;
pub mod calls;
pub mod itself;
mod place;
pub mod plan;
pub mod power;
pub mod report;
pub mod saved;

pub use place::Place;
pub use plan::Plan;
pub use report::Honesty;
