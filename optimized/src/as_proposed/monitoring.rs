//! Item 15 as the audit proposes it: pg_stat_statements and a log of slow statements, and a question
//! for those above 100 ms on average.

use sqlx::PgPool;
use verdict_baseline::Result;
use verdict_monitor::postgres::{Listed, statements};

/// Settings of a session whose statements are watched: those of pg_stat_statements as it comes.
pub const SETTINGS: &[(&str, &str)] = &[
    ("pg_stat_statements.track", "top"),
    ("compute_query_id", "on"),
    ("log_min_duration_statement", "100"),
];

/// The statements above 100 ms on average, the slowest first.
pub async fn slow(pool: &PgPool) -> Result<Vec<Listed>> {
    Ok(statements::above_100_ms(pool).await?)
}
