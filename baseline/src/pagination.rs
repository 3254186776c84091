//! Item 7 as it is today: pages cut by LIMIT and OFFSET, of posts and of message history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Result;
use crate::message_history::{self, Message};

/// Today's page of an author's posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostsRequest {
    /// The author.
    pub user: Uuid,
    /// Rows.
    pub limit: i64,
    /// Rows to skip from the newest.
    pub offset: i64,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Post {
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
    /// When it was deleted; always absent here.
    pub soft_delete: Option<DateTime<Utc>>,
}

const POSTS: &str = "
SELECT
    id,
    user_id,
    caption,
    image_key,
    image_sizes,
    status,
    content_type,
    created_at,
    updated_at,
    soft_delete
FROM posts
WHERE user_id = $1
  AND soft_delete IS NULL
ORDER BY created_at DESC
LIMIT $2 OFFSET $3";

/// A page of an author's posts, newest first.
pub async fn posts(pool: &PgPool, request: &PostsRequest) -> Result<Vec<Post>> {
    Ok(sqlx::query_as(POSTS)
        .bind(request.user)
        .bind(request.limit)
        .bind(request.offset)
        .fetch_all(pool)
        .await?)
}

/// A page of a conversation's messages, oldest first: the first statement of
/// [`message_history::history`].
pub async fn history(pool: &PgPool, request: &message_history::Request) -> Result<Vec<Message>> {
    message_history::page(pool, request).await
}
