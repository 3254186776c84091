//! What can go wrong while a world is loaded or summed.

use verdict_audit::Exit;

/// A world that could not be loaded or summed. What was loaded before stays behind: drop
/// both databases and load again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL refused.
    #[error("failed to {what} in PostgreSQL")]
    Postgres {
        /// The step, with its table.
        what: String,
        /// PostgreSQL's own words.
        source: sqlx::Error,
    },
    /// ClickHouse refused.
    #[error("failed to {what} in ClickHouse")]
    ClickHouse {
        /// The step, with its table.
        what: String,
        /// ClickHouse's own words.
        source: clickhouse::error::Error,
    },
    /// A generator thread panicked; its message went to standard error.
    #[error("the generator of `{table}` stopped early: report its panic message as a bug")]
    Generator {
        /// The table that was being filled.
        table: &'static str,
    },
    /// PostgreSQL stored another number of rows than were made.
    #[error("`{table}` took {stored} of {made} rows: load into empty databases")]
    Rows {
        /// The table.
        table: &'static str,
        /// Rows sent.
        made: u64,
        /// Rows it says it took.
        stored: u64,
    },
    /// The schema has no such table, so the generators are behind it.
    #[error("today's schema has no table `{table}`: bring the generators up to date with it")]
    Schema {
        /// The table looked for.
        table: &'static str,
    },
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        Exit::Software
    }

    pub(crate) fn postgres(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let what = what.into();
        move |source| Self::Postgres { what, source }
    }

    pub(crate) fn clickhouse(
        what: impl Into<String>,
    ) -> impl FnOnce(clickhouse::error::Error) -> Self {
        let what = what.into();
        move |source| Self::ClickHouse { what, source }
    }
}
