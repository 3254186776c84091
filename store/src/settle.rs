//! Bringing tables to rest.

use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::engine::{Engine, Table};
use crate::fault::{Doing, Error};

/// Vacuums, freezes and analyses, so that no counted call finds work left over by another.
/// Tables of other engines are passed over.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub async fn settle(pool: &PgPool, tables: &[Table]) -> Result<(), Error> {
    for table in tables {
        if table.engine == Engine::Postgres {
            // Table names are this project's constants.
            let statement = format!("VACUUM (FREEZE, ANALYZE) \"{}\"", table.name);
            pool.execute(AssertSqlSafe(statement))
                .await
                .doing("vacuum a table that was changed")?;
        }
    }
    Ok(())
}
