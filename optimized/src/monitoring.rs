//! Item 15 fixed: the same statistics, asked for what takes most of the time in all and for what
//! touches most pages for each row, whatever one call takes.
//!
//! A threshold on the mean hides what is called a hundred thousand times: the first to look at is
//! what the server spends its time on. What reads far more than it answers is slow where it matters
//! next, on larger data.

use sqlx::PgPool;
use verdict_baseline::Result;
use verdict_monitor::postgres::{Statement, Tables, statements, tables};

/// Settings of a session whose statements are watched.
pub const SETTINGS: &[(&str, &str)] = &[
    ("pg_stat_statements.track", "top"),
    ("compute_query_id", "on"),
    ("log_min_duration_statement", "-1"),
];

/// What the server spends its time on.
#[derive(Debug, Clone, PartialEq)]
pub struct Costliest {
    /// The statements that take most of the time.
    pub by_total: Vec<Statement>,
    /// Those that touch most pages for each row.
    pub by_pages_a_row: Vec<Statement>,
}

/// The costliest statements of the database.
pub async fn costliest(pool: &PgPool) -> Result<Costliest> {
    let all = statements::all(pool).await?;
    Ok(Costliest {
        by_total: statements::by_total(pool).await?,
        by_pages_a_row: statements::by_pages_a_row(pool, all.pages).await?,
    })
}

/// Indexes that nobody looks into, and tables that are read whole.
pub async fn indexes(pool: &PgPool) -> Result<Tables> {
    Ok(Tables {
        unused: tables::unused(pool).await?,
        scanned: tables::scanned(pool).await?,
    })
}
