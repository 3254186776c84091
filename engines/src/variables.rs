//! The variables that name the user's servers.

use crate::Error;
use crate::mode::Mode;

/// PostgreSQL's, ClickHouse's, Redis's.
pub(crate) const VARIABLES: [&str; 3] = ["DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL"];

/// The value of a variable that external engines need.
pub(crate) fn variable(variable: &'static str) -> Result<String, Error> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or(Error::MissingVariable {
            mode: Mode::External,
            variable,
        })
}

/// Whether the user names all three servers.
pub(crate) fn all_set() -> bool {
    VARIABLES.iter().all(|name| variable(name).is_ok())
}
