//! The names of the hidden commands of the `verdict` program.

/// The process that owns a run's engines.
pub(crate) const KEEPER: &str = "engine-keeper";
/// The process that becomes an engine.
pub(crate) const LAUNCH: &str = "engine-launch";
/// The process that hosts ClickHouse's library.
pub(crate) const CLICKHOUSE_HOST: &str = "engine-clickhouse";
/// A command for tests: holds engines until it is ended.
pub(crate) const HOLD: &str = "engine-hold";
/// The launcher's flag for a user namespace.
pub(crate) const NAMESPACE: &str = "--namespace";
