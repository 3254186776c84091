//! One side's engines as handles, and the changes that are made to them.
//!
//! - [`store`]: the handles, and how they are connected.
//! - [`lend`]: where statements that share a connection get it, whatever the pool.
//! - [`change`]: what a variant changes, and how it is taken back.
//! - [`fault`]: what a variant could not do, apart from what the harness could not.
//! - [`settle`]: tables brought to rest.
//! - [`kept`]: what callers keep in their process beside the handles.
//! - [`client`]: what only the client sees: waits for a connection, time-outs, hits and misses.
//!
//! Functions in `baseline` and `optimized` take the raw handles that they need; a trial, the
//! service and the load hand them out from here.

pub mod change;
pub mod client;
pub mod engine;
pub mod fault;
pub mod kept;
pub mod lend;
pub mod settle;
pub mod store;
pub mod waits;

pub use change::{Change, Down, Job, Step};
pub use client::ClientCounts;
pub use engine::{Engine, Table};
pub use fault::{Error, Fault, Refusal};
pub use lend::{Lend, Lent};
pub use store::{Connect, Store};
