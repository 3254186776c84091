//! Each item of the audit put on trial.
//!
//! An item's file in [`items`] says what is asked, at which sizes, and when an answer is right
//! ([`item::Item`], [`operation::Operation`]); the steps of a trial ([`trial`]) are the same for
//! all of them: [`docket`] is the one place that lists them. [`together`] puts all fixes on one
//! side, in any order.

pub mod court;
mod deliveries;
pub mod docket;
mod engine_time;
pub mod error;
mod hostile;
pub mod item;
pub mod items;
pub mod latency;
pub mod meters;
pub mod operation;
pub mod parts;
pub mod price;
pub mod recording;
pub mod schema;
pub mod scrutiny;
pub mod session;
mod standing;
pub mod tally;
pub mod timing;
pub mod together;
pub mod trial;
mod uses;
pub mod versions;
pub mod work;
mod written;
mod zeros;

pub use error::{Error, Result};
