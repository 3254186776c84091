//! Item 10 as it is today: ClickHouse tables without partitions. Posts are keyed by id, so that
//! a range of time reads all of them; events are keyed by time already. What is old is deleted
//! row by row.

use chrono::{DateTime, Utc};
use clickhouse::error::Result;
use clickhouse::sql::Identifier;
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};

/// From when, and until before when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Range {
    /// The first instant in it, in whole seconds.
    pub since: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
}

/// Posts of a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostsRequest {
    /// When they were made.
    pub range: Range,
    /// Posts at most.
    pub limit: u64,
}

/// A post as the change feed has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Serialize, Deserialize)]
pub struct Post {
    /// Its id.
    pub id: String,
    /// Its author.
    pub user_id: String,
    /// When it was made.
    #[serde(with = "clickhouse::serde::chrono::datetime")]
    pub created_at: DateTime<Utc>,
}

/// The posts to which most was done in a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsRequest {
    /// When it was done.
    pub range: Range,
    /// Posts at most.
    pub limit: u64,
}

/// A post, and how much was done to it.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Trending {
    /// The post.
    pub post_id: String,
    /// Likes, comments and views.
    pub events: u64,
}

/// Whom the likes of a range of time were given to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Serialize, Deserialize)]
pub struct AuthorLikes {
    /// The author.
    pub author_id: String,
    /// Likes that stand, of posts that are there.
    pub likes: u64,
}

/// Events older than this are to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRequest {
    /// The first instant whose events are kept: a month's beginning.
    pub keep_from: DateTime<Utc>,
}

/// What is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Kept {
    /// Events.
    pub events: u64,
    /// The time of the oldest; 1970 where there are none.
    #[serde(with = "clickhouse::serde::chrono::datetime")]
    pub oldest: DateTime<Utc>,
}

/// Ties are broken by id, on every side: today's order leaves them open.
const RECENT_POSTS: &str = "
SELECT id, user_id, created_at
FROM posts_cdc FINAL
WHERE created_at >= toDateTime(?, 'UTC')
  AND created_at < toDateTime(?, 'UTC')
  AND is_deleted = 0
ORDER BY created_at DESC, id
LIMIT ?";

const POSTS_BY_ID: &str = "
SELECT id, user_id, created_at
FROM posts_cdc FINAL
WHERE id IN ?
  AND is_deleted = 0
ORDER BY id";

const AUTHOR_LIKES: &str = "
SELECT posts.user_id AS author_id, count() AS likes
FROM (
    SELECT post_id
    FROM likes_cdc FINAL
    WHERE created_at >= toDateTime(?, 'UTC')
      AND created_at < toDateTime(?, 'UTC')
      AND is_deleted = 0
) AS likes
INNER JOIN (
    SELECT id, user_id
    FROM posts_cdc FINAL
    WHERE is_deleted = 0
) AS posts ON posts.id = likes.post_id
GROUP BY author_id
ORDER BY author_id";

/// Ties are broken by id, on every side.
const RECENT_EVENTS: &str = "
SELECT post_id, count() AS events
FROM post_events
WHERE event_time >= toDateTime(?, 'UTC')
  AND event_time < toDateTime(?, 'UTC')
  AND post_id != ''
GROUP BY post_id
ORDER BY events DESC, post_id
LIMIT ?";

/// Posts of a range of time that are there, newest first.
pub async fn recent_posts(client: &Client, request: &PostsRequest) -> Result<Vec<Post>> {
    client
        .query(RECENT_POSTS)
        .bind(request.range.since.timestamp())
        .bind(request.range.until.timestamp())
        .bind(request.limit)
        .fetch_all()
        .await
}

/// Those of these posts that are there, by id.
pub async fn posts_by_id(client: &Client, ids: &[String]) -> Result<Vec<Post>> {
    client.query(POSTS_BY_ID).bind(ids).fetch_all().await
}

/// Likes of a range of time, by the post's author.
pub async fn author_likes(client: &Client, range: &Range) -> Result<Vec<AuthorLikes>> {
    client
        .query(AUTHOR_LIKES)
        .bind(range.since.timestamp())
        .bind(range.until.timestamp())
        .fetch_all()
        .await
}

/// The posts to which most was done, most first.
pub async fn recent_events(client: &Client, request: &EventsRequest) -> Result<Vec<Trending>> {
    client
        .query(RECENT_EVENTS)
        .bind(request.range.since.timestamp())
        .bind(request.range.until.timestamp())
        .bind(request.limit)
        .fetch_all()
        .await
}

/// Deletes what is old by a mutation, which writes every part anew that holds some of it, and
/// waits for it.
pub async fn retention(client: &Client, table: &str, request: &RetentionRequest) -> Result<Kept> {
    client
        .query("ALTER TABLE ? DELETE WHERE event_time < toDateTime(?, 'UTC')")
        .with_setting("mutations_sync", "2")
        .bind(Identifier(table))
        .bind(request.keep_from.timestamp())
        .execute()
        .await?;
    kept(client, table).await
}

/// Marks what is old as deleted, which writes a mask of every part that holds some of it, and
/// waits for it; the rows go with later merges.
pub async fn retention_by_mark(
    client: &Client,
    table: &str,
    request: &RetentionRequest,
) -> Result<Kept> {
    client
        .query("DELETE FROM ? WHERE event_time < toDateTime(?, 'UTC')")
        .with_setting("lightweight_deletes_sync", "2")
        .bind(Identifier(table))
        .bind(request.keep_from.timestamp())
        .execute()
        .await?;
    kept(client, table).await
}

/// What is left of a table of events.
pub async fn kept(client: &Client, table: &str) -> Result<Kept> {
    client
        .query("SELECT count() AS events, min(event_time) AS oldest FROM ?")
        .bind(Identifier(table))
        .fetch_one()
        .await
}
