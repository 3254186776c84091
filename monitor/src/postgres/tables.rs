//! How the tables and indexes of a database are read, since its statistics were reset.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgExecutor, query_as};

use super::seen;
use crate::{Result, Seen};

/// Pages that were asked for, of tables and indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, FromRow)]
pub struct Cache {
    /// Found in PostgreSQL's own cache.
    pub hits: i64,
    /// Read from the system, which may have them in its own.
    pub reads: i64,
    /// Since when they are counted.
    pub since: Option<DateTime<Utc>>,
}

impl Cache {
    /// The share that was found; none where nothing was asked for.
    pub fn hit_ratio(&self) -> Option<f64> {
        let asked = self.hits + self.reads;
        (asked > 0).then(|| self.hits as f64 / asked as f64)
    }
}

/// How tables and indexes are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tables {
    /// Indexes that were never looked into and keep nothing unique, the largest first.
    pub unused: Vec<Index>,
    /// Tables of which many rows are read one after the other at a time, the most rows first: where
    /// an index may be missing.
    pub scanned: Vec<Scanned>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Index {
    /// Its table, with its schema.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: i64,
}

/// A table that is read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Scanned {
    /// The table, with its schema.
    pub table: String,
    /// How often it was read so.
    pub scans: i64,
    /// Rows that were read so.
    pub rows_read: i64,
    /// How often one of its indexes was looked into.
    pub index_scans: i64,
    /// Rows that it has, about.
    pub rows: i64,
}

const CACHE: &str = "
SELECT /* verdict monitor */
    blks_hit AS hits,
    blks_read AS reads,
    stats_reset AS since
FROM pg_stat_database
WHERE datname = CURRENT_DATABASE()";

const UNUSED: &str = "
SELECT /* verdict monitor */
    schemaname || '.' || relname AS table,
    indexrelname::text AS name,
    PG_RELATION_SIZE(indexrelid) AS bytes
FROM pg_stat_user_indexes
JOIN pg_index USING (indexrelid)
WHERE idx_scan = 0
  AND NOT indisunique
  AND NOT indisexclusion
ORDER BY bytes DESC, name
LIMIT 20";

/// A table of fewer rows is read quicker whole.
const SCANNED: &str = "
SELECT /* verdict monitor */
    schemaname || '.' || relname AS table,
    seq_scan AS scans,
    seq_tup_read AS rows_read,
    COALESCE(idx_scan, 0) AS index_scans,
    n_live_tup AS rows
FROM pg_stat_user_tables
WHERE seq_tup_read >= 1000 * seq_scan
  AND seq_scan > 0
ORDER BY seq_tup_read DESC, relname
LIMIT 20";

pub(super) async fn cache(session: &mut PgConnection) -> Result<Seen<Cache>> {
    let asked = query_as(CACHE).fetch_one(session).await;
    seen(
        asked,
        "the cache is not told of",
        "look at the server's log",
    )
}

/// Indexes that were never looked into and keep nothing unique.
///
/// # Errors
/// PostgreSQL's.
pub async fn unused(server: impl PgExecutor<'_>) -> sqlx::Result<Vec<Index>> {
    query_as(UNUSED).fetch_all(server).await
}

/// Tables of which many rows are read one after the other.
///
/// # Errors
/// PostgreSQL's.
pub async fn scanned(server: impl PgExecutor<'_>) -> sqlx::Result<Vec<Scanned>> {
    query_as(SCANNED).fetch_all(server).await
}

pub(super) async fn read(session: &mut PgConnection) -> Result<Seen<Tables>> {
    let asked = async {
        Ok::<_, sqlx::Error>(Tables {
            unused: unused(&mut *session).await?,
            scanned: scanned(&mut *session).await?,
        })
    };
    seen(
        asked.await,
        "tables and indexes are not told of",
        "look at the server's log",
    )
}
