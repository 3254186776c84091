//! What was done, counted around calls and free of noise: one meter per engine, one for the
//! wire, and one for what only the client sees.

mod clickhouse;
mod client;
mod postgres;
mod redis;
mod wire;

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use verdict_audit::Counter;
use verdict_store::Error;

pub use self::clickhouse::ClickHouse;
pub use self::client::Client;
pub(crate) use self::postgres::tell_statistics;
pub use self::postgres::{PlansUsed, Postgres, own_time, plans_used};
pub use self::redis::Redis;
pub use self::wire::Wire;

/// What was counted between a begin and an end.
pub type Reading = BTreeMap<Counter, f64>;

/// Counts what is done between a begin and an end.
pub trait Meter: Send {
    /// Notes where the running totals stand.
    fn begin(&mut self) -> BoxFuture<'_, Result<(), Error>>;

    /// What was added to them since.
    fn end(&mut self) -> BoxFuture<'_, Result<Reading, Error>>;
}
