//! The three engines, and their tables.

use std::fmt;

/// One of the three engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// ClickHouse.
    ClickHouse,
    /// Redis, or a server that speaks its protocol.
    Redis,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Postgres => "PostgreSQL",
            Self::ClickHouse => "ClickHouse",
            Self::Redis => "Redis",
        })
    }
}

/// A table of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table {
    /// Whose.
    pub engine: Engine,
    /// Its name.
    pub name: &'static str,
}

impl Table {
    /// A table of PostgreSQL.
    pub const fn postgres(name: &'static str) -> Self {
        Self {
            engine: Engine::Postgres,
            name,
        }
    }

    /// A table of ClickHouse.
    pub const fn clickhouse(name: &'static str) -> Self {
        Self {
            engine: Engine::ClickHouse,
            name,
        }
    }
}
