//! Each item of the audit put on trial.
//!
//! An item's file says what is asked, at which sizes, and when two answers are the same
//! ([`item::Item`]); the steps of a trial ([`trial`]) are the same for all of them.

pub mod contract;
pub mod docket;
pub mod error;
pub mod flows;
pub mod hostile;
pub mod instruments;
pub mod item;
pub mod ladder;
pub mod latency;
pub mod load;
pub mod message_history;
pub mod message_send;
pub mod pagination;
pub mod price;
pub mod service;
pub mod session;
pub mod trial;
pub mod work;

pub use error::{Error, Result};
