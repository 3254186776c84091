//! Today's schema, as the files in `sql/` hold it.

/// PostgreSQL tables without keys: what a world is loaded into.
pub const TABLES: &str = include_str!("../sql/tables.sql");
/// PostgreSQL primary keys and indexes, one statement each.
pub const INDEXES: &str = include_str!("../sql/indexes.sql");
/// PostgreSQL foreign keys, one statement each.
pub const FOREIGN_KEYS: &str = include_str!("../sql/foreign_keys.sql");
/// PostgreSQL triggers.
pub const TRIGGERS: &str = include_str!("../sql/triggers.sql");
/// ClickHouse tables, one statement each.
pub const CLICKHOUSE: &str = include_str!("../sql/clickhouse.sql");
/// ClickHouse views over these tables, one statement each, by the world's clock.
pub const CLICKHOUSE_VIEWS: &str = include_str!("../sql/clickhouse_views.sql");
/// The world's clock as ClickHouse is told it, in the place of `now()`: a copy of the audit's
/// date, so that SQL in files can hold it. A test holds every such file to it.
pub const CLICKHOUSE_CLOCK: &str = "toDateTime('2025-10-29 00:00:00', 'UTC')";

/// The same so many seconds ahead.
pub fn clickhouse_clock(ahead: i64) -> String {
    format!("{CLICKHOUSE_CLOCK} + INTERVAL {ahead} SECOND")
}

/// The statements of a schema file whose statements contain no semicolon of their own.
///
/// ```
/// let statements: Vec<_> = verdict_baseline::schema::statements("CREATE a;\n-- why\nCREATE b;\n").collect();
/// assert_eq!(statements, ["CREATE a", "-- why\nCREATE b"]);
/// ```
pub fn statements(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.split(';').map(str::trim).filter(|s| !s.is_empty())
}
