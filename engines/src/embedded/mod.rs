//! Engines from packages, run as processes of our own under a keeper.

mod clickhouse;
mod postgres;
mod redis;
mod setting;
mod start;

pub(crate) use start::{remove_damaged, seal, start};
