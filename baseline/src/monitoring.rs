//! Item 15 as it is today: nobody watches. What can be asked is what is being done at this moment.

use sqlx::PgPool;

use crate::Result;

/// Settings of a session whose statements nobody watches.
pub const SETTINGS: &[(&str, &str)] = &[
    ("pg_stat_statements.track", "none"),
    ("compute_query_id", "off"),
    ("log_min_duration_statement", "-1"),
];

const RUNNING: &str = "
SELECT query
FROM pg_stat_activity
WHERE state = 'active'
  AND datname = CURRENT_DATABASE()
  AND pid <> PG_BACKEND_PID()
ORDER BY query_start
LIMIT 20";

/// The statements that run at this moment, the one that began first at the head.
pub async fn running(pool: &PgPool) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(RUNNING).fetch_all(pool).await?)
}
