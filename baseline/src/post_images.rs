//! Item 6 as it is today: a post with its counters, and one subquery for each size of its image.
//!
//! Today takes any of several images of one size, and another one after an update that changes
//! nothing. One rule holds for every variant: the first by time, then by id.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Result;
use crate::pagination::Post;

/// A post with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct PostWithImages {
    /// The post.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub post: Post,
    /// Likes.
    pub like_count: i32,
    /// Comments.
    pub comment_count: i32,
    /// Views.
    pub view_count: i32,
    /// When the counters were last changed; where there are none, when the post was made.
    pub metadata_updated_at: DateTime<Utc>,
    /// Where the thumbnail is served.
    pub thumbnail_url: Option<String>,
    /// Where the medium size is served.
    pub medium_url: Option<String>,
    /// Where the original is served.
    pub original_url: Option<String>,
}

/// A statement for a post, or for posts: what is selected of its images, what is joined for that,
/// which posts, and what comes after.
#[macro_export]
macro_rules! post_statement {
    ($urls:literal, $images:literal, $which:literal, $after:literal) => {
        concat!(
            "
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
    p.soft_delete,
    COALESCE(pm.like_count, 0) AS like_count,
    COALESCE(pm.comment_count, 0) AS comment_count,
    COALESCE(pm.view_count, 0) AS view_count,
    COALESCE(pm.updated_at, p.created_at) AS metadata_updated_at,
    ",
            $urls,
            "
FROM posts AS p
LEFT JOIN post_metadata AS pm ON p.id = pm.post_id",
            $images,
            "
WHERE p.id = ",
            $which,
            "
  AND p.soft_delete IS NULL",
            $after
        )
    };
}

pub use post_statement;

macro_rules! statement {
    ($which:literal) => {
        post_statement!(
            "(
        SELECT url
        FROM post_images
        WHERE post_id = p.id AND size_variant = 'thumbnail' AND status = 'completed'
        ORDER BY created_at, id
        LIMIT 1
    ) AS thumbnail_url,
    (
        SELECT url
        FROM post_images
        WHERE post_id = p.id AND size_variant = 'medium' AND status = 'completed'
        ORDER BY created_at, id
        LIMIT 1
    ) AS medium_url,
    (
        SELECT url
        FROM post_images
        WHERE post_id = p.id AND size_variant = 'original' AND status = 'completed'
        ORDER BY created_at, id
        LIMIT 1
    ) AS original_url",
            "",
            $which,
            ""
        )
    };
}

const POST: &str = statement!("$1");
const PAGE: &str = statement!("ANY($1)");

/// A post; none where nobody has the id, or it is deleted.
pub async fn post(pool: &PgPool, id: Uuid) -> Result<Option<PostWithImages>> {
    Ok(sqlx::query_as(POST).bind(id).fetch_optional(pool).await?)
}

/// Posts in the order in which they are asked for, as the feed does; those that are deleted or
/// gone are left out.
pub async fn page(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<PostWithImages>> {
    let rows = sqlx::query_as(PAGE).bind(ids).fetch_all(pool).await?;
    Ok(in_order(ids, rows))
}

/// Rows in the order of their ids.
pub fn in_order(ids: &[Uuid], rows: Vec<PostWithImages>) -> Vec<PostWithImages> {
    let mut rows: HashMap<Uuid, PostWithImages> =
        rows.into_iter().map(|row| (row.post.id, row)).collect();
    ids.iter().filter_map(|id| rows.remove(id)).collect()
}
