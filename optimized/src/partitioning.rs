//! Item 10 fixed, table by table.
//!
//! - `post_events`: parted by month, its key as it was, since it begins with time already. Reads
//!   of a range gain nothing; what is old is dropped by the month and nothing is written again.
//! - `posts_cdc`: keyed by time and then id, parted by month, with a Bloom filter for look-ups
//!   by id and granules of 1 024 rows, so that a range of time reads its own rows and a look-up
//!   few more. All versions of a post have its time, so they have one key and are in one part.
//! - `likes_cdc`, `comments_cdc`, `follows_cdc`: as they were. They are joined by the ids that
//!   their keys begin with, and nothing of them goes by age.

use chrono::{DateTime, Utc};
use clickhouse::error::Result;
use clickhouse::sql::Identifier;
use clickhouse::{Client, Row};
use serde::Deserialize;
use verdict_baseline::partitioning::{Kept, Post, RetentionRequest, kept};
use verdict_store::{Change, Engine, Step, Table};

/// The tables that are laid out anew, with their rows.
pub const CHANGE: Change = Change::steps(
    &[Step::Script(
        Engine::ClickHouse,
        include_str!("../migrations/partitioning/up.sql"),
    )],
    &[Step::Script(
        Engine::ClickHouse,
        include_str!("../migrations/partitioning/down.sql"),
    )],
    &[
        Table::clickhouse("posts_cdc"),
        Table::clickhouse("post_events"),
    ],
);

/// A skipped granule of a replacing table would hide a newer version; here every version of an
/// id is behind the same entries of the filter.
const POSTS_BY_ID: &str = "
SELECT id, user_id, created_at
FROM posts_cdc FINAL
WHERE id IN ?
  AND is_deleted = 0
ORDER BY id
SETTINGS use_skip_indexes_if_final = 1";

/// Those of these posts that are there, by id.
pub async fn posts_by_id(client: &Client, ids: &[String]) -> Result<Vec<Post>> {
    client.query(POSTS_BY_ID).bind(ids).fetch_all().await
}

#[derive(Row, Deserialize)]
struct Partition {
    partition_id: String,
}

/// Partitions of months that ended before an instant: what drops out then.
const OLD: &str = "
SELECT DISTINCT partition_id
FROM system.parts
WHERE database = currentDatabase()
  AND table = ?
  AND active
  AND partition_id < ?
ORDER BY partition_id";

/// Drops the months that are old.
pub async fn retention(
    client: &Client,
    table: &str,
    request: &RetentionRequest,
) -> Result<Kept> {
    let old: Vec<Partition> = client
        .query(OLD)
        .bind(table)
        .bind(month(request.keep_from))
        .fetch_all()
        .await?;
    if !old.is_empty() {
        let drops: Vec<String> = old
            .iter()
            .map(|Partition { partition_id }| format!("DROP PARTITION ID '{partition_id}'"))
            .collect();
        let drop = format!("ALTER TABLE ? {}", drops.join(", "));
        let drop = client.query(&drop).bind(Identifier(table));
        drop.execute().await?;
    }
    kept(client, table).await
}

/// The name of the partition that an instant is in.
fn month(time: DateTime<Utc>) -> String {
    time.format("%Y%m").to_string()
}
