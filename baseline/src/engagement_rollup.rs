//! Item 3 as it is today: two views that add up all engagement whenever they are read.
//!
//! Today's views ask now(); here the world's clock stands in their text, see
//! [`schema::CLICKHOUSE_CLOCK`](crate::schema::CLICKHOUSE_CLOCK). They add and subtract versions,
//! so a version that came twice counts twice, and a like that was taken back takes another one
//! along once its versions are merged into one.

use chrono::{DateTime, Utc};
use clickhouse::error::Result;
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};

/// How close a user has been to each author in the last 90 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffinityRequest {
    /// Whose likes and comments.
    pub user: String,
    /// The end of the 90 days: the world's clock, for today's view knows no other.
    pub now: DateTime<Utc>,
}

/// What a user has done on an author's posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Row)]
pub struct Affinity {
    /// The author.
    pub author_id: String,
    /// Likes, and comments twice, that stand.
    pub interaction_count: f64,
    /// When the last of them was made, also of those that were taken back.
    #[serde(with = "clickhouse::serde::chrono::datetime")]
    pub last_interaction: DateTime<Utc>,
}

/// What was done on posts, by the hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsRequest {
    /// The posts.
    pub posts: Vec<String>,
    /// From this hour on.
    pub since: DateTime<Utc>,
    /// Before this hour.
    pub until: DateTime<Utc>,
}

/// What was done on a post in an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Metrics {
    /// The hour's beginning.
    #[serde(with = "clickhouse::serde::chrono::datetime")]
    pub metric_hour: DateTime<Utc>,
    /// The post.
    pub post_id: String,
    /// Its author; empty while the post is unknown.
    pub author_id: String,
    /// Likes of that hour that stand.
    pub likes_count: i64,
    /// Comments of that hour that stand.
    pub comments_count: i64,
}

const AFFINITY: &str = "
SELECT author_id, interaction_count, last_interaction
FROM user_author_90d
WHERE user_id = ?";

const METRICS: &str = "
SELECT metric_hour, post_id, author_id, likes_count, comments_count
FROM post_metrics_1h
WHERE post_id IN ?
  AND metric_hour >= toDateTime(?, 'UTC')
  AND metric_hour < toDateTime(?, 'UTC')";

/// All authors that a user was close to, in no order.
pub async fn affinity(client: &Client, request: &AffinityRequest) -> Result<Vec<Affinity>> {
    client.query(AFFINITY).bind(&request.user).fetch_all().await
}

/// Every hour of each post in which anything was done, in no order.
pub async fn metrics(client: &Client, request: &MetricsRequest) -> Result<Vec<Metrics>> {
    client
        .query(METRICS)
        .bind(&request.posts)
        .bind(request.since.timestamp())
        .bind(request.until.timestamp())
        .fetch_all()
        .await
}
