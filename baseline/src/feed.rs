//! The feed, from end to end, as it is today: candidates of three sources are ranked together,
//! and the page's posts are read from PostgreSQL with their counters and images.
//!
//! Where today leaves something open, one rule holds for every variant: a post that comes from
//! two sources is shown once, where it ranks best. Today takes .1 off every score, which changes
//! no order, and is left out here. The page's posts are read by today's statement for one post,
//! asked for all of them at once; one that is hidden by then is missing from the page.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use clickhouse::Client;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Result;
use crate::feed_candidates::candidates;
use crate::feed_tables::{self, Candidate};
use crate::stages::Stages;

/// Posts of a page when nothing is asked for, and the most that a page has.
pub const DEFAULT_LIMIT: u64 = 20;
/// See [`DEFAULT_LIMIT`].
pub const MAX_LIMIT: u64 = 100;

/// Candidates of a source at most.
const MOST_CANDIDATES: u64 = 1_000;

/// A page of somebody's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The reader.
    pub user: Uuid,
    /// Posts of the page.
    pub limit: u64,
    /// Posts before it.
    pub offset: u64,
}

impl Request {
    /// How many candidates of each source are asked for: the page's and those before it, and five
    /// times the page's at least.
    pub fn candidates(&self) -> feed_tables::Request {
        let page = self.offset.saturating_add(self.limit);
        let enough = page.max(self.limit.saturating_mul(5));
        feed_tables::Request {
            user: self.user,
            limit: enough.min(MOST_CANDIDATES),
        }
    }
}

/// A post of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct FeedPost {
    /// The post.
    pub id: Uuid,
    /// Its author.
    pub user_id: Uuid,
    /// Caption.
    pub caption: Option<String>,
    /// Where the image is stored.
    pub image_key: String,
    /// Sizes of the image's variants.
    pub image_sizes: Option<serde_json::Value>,
    /// `pending`, `processing`, `published` or `failed`.
    pub status: String,
    /// `image`, `video` or `mixed`.
    pub content_type: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Likes that stand.
    pub like_count: i32,
    /// Comments that are shown.
    pub comment_count: i32,
    /// Views.
    pub view_count: i32,
    /// Where the thumbnail is served.
    pub thumbnail_url: Option<String>,
    /// Where the medium size is served.
    pub medium_url: Option<String>,
    /// Where the original is served.
    pub original_url: Option<String>,
}

/// What candidates are ranked by, all sources together.
pub fn score(candidate: &Candidate) -> f64 {
    0.3 * candidate.freshness_score
        + 0.4 * candidate.engagement_score
        + 0.3 * candidate.affinity_score
}

/// Posts in the order in which they are shown, each once. Of equal scores the one that comes
/// first stays first.
pub fn ranked(mut candidates: Vec<Candidate>) -> Vec<Uuid> {
    candidates.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let mut met = HashSet::new();
    candidates
        .into_iter()
        .map(|candidate| candidate.post_id)
        .filter(|post| met.insert(*post))
        .collect()
}

/// A page of a feed, best first.
pub async fn feed(
    pool: &PgPool,
    client: &Client,
    request: &Request,
    stages: &mut Stages,
) -> Result<Vec<FeedPost>> {
    let wanted = request.candidates();
    let candidates = stages
        .time("candidates", candidates(client, &wanted))
        .await?;
    let page: Vec<Uuid> = stages
        .time("ranking", async {
            ranked(candidates)
                .into_iter()
                .skip(usize::try_from(request.offset).unwrap_or(usize::MAX))
                .take(usize::try_from(request.limit).unwrap_or(usize::MAX))
                .collect()
        })
        .await;
    stages.time("posts", hydrate(pool, &page)).await
}

const POSTS: &str = "
SELECT
    p.id,
    p.user_id,
    p.caption,
    p.image_key,
    p.image_sizes,
    p.status,
    p.content_type,
    p.created_at,
    p.updated_at,
    COALESCE(pm.like_count, 0) AS like_count,
    COALESCE(pm.comment_count, 0) AS comment_count,
    COALESCE(pm.view_count, 0) AS view_count,
    (
        SELECT url
        FROM post_images
        WHERE post_id = p.id AND size_variant = 'thumbnail' AND status = 'completed'
        LIMIT 1
    ) AS thumbnail_url,
    (
        SELECT url
        FROM post_images
        WHERE post_id = p.id AND size_variant = 'medium' AND status = 'completed'
        LIMIT 1
    ) AS medium_url,
    (
        SELECT url
        FROM post_images
        WHERE post_id = p.id AND size_variant = 'original' AND status = 'completed'
        LIMIT 1
    ) AS original_url
FROM posts AS p
LEFT JOIN post_metadata AS pm ON pm.post_id = p.id
WHERE p.id = ANY($1)
  AND p.soft_delete IS NULL";

/// Posts with their counters and images, in the order in which they are asked for; those that
/// are hidden or gone are left out. Nothing is asked of PostgreSQL for an empty page.
pub async fn hydrate(pool: &PgPool, posts: &[Uuid]) -> Result<Vec<FeedPost>> {
    if posts.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<FeedPost> = sqlx::query_as(POSTS).bind(posts).fetch_all(pool).await?;
    let mut by_id: HashMap<Uuid, FeedPost> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(posts.iter().filter_map(|post| by_id.remove(post)).collect())
}
