//! Item 11 as it is today: the reads that the audit's five indexes are for, on the indexes that
//! there are.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Result;
use crate::pagination::Post;

/// A conversation of a member's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct Membership {
    /// The conversation.
    pub conversation_id: Uuid,
    /// Whether the member has put it away.
    pub is_archived: bool,
}

/// Messages of a conversation in a range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeRequest {
    /// The conversation.
    pub conversation: Uuid,
    /// The first instant that is in it.
    pub since: DateTime<Utc>,
    /// The first after it.
    pub until: DateTime<Utc>,
    /// Rows at most.
    pub limit: i64,
}

/// A message of a range.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Said {
    /// The message.
    pub id: Uuid,
    /// Who sent it.
    pub sender_id: Uuid,
    /// When.
    pub created_at: DateTime<Utc>,
    /// What it says, unless that is encrypted.
    pub content: Option<String>,
    /// Its kind.
    pub message_type: String,
}

/// What is counted about a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// The post.
    pub id: Uuid,
    /// Likes.
    pub like_count: i32,
    /// Comments.
    pub comment_count: i32,
    /// Views.
    pub view_count: i32,
}

const MEMBER_CONVERSATIONS: &str = "
SELECT conversation_id, is_archived
FROM conversation_members
WHERE user_id = $1
ORDER BY conversation_id";

/// The conversations that somebody is in.
pub async fn member_conversations(pool: &PgPool, user: Uuid) -> Result<Vec<Membership>> {
    let rows = sqlx::query_as(MEMBER_CONVERSATIONS).bind(user);
    Ok(rows.fetch_all(pool).await?)
}

const PUBLISHED_POSTS: &str = "
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
  AND status = 'published'
  AND soft_delete IS NULL
ORDER BY created_at DESC
LIMIT $2";

/// The newest of an author's posts that are to be seen.
pub async fn published_posts(pool: &PgPool, author: Uuid, limit: i64) -> Result<Vec<Post>> {
    let rows = sqlx::query_as(PUBLISHED_POSTS).bind(author).bind(limit);
    Ok(rows.fetch_all(pool).await?)
}

const MESSAGE_RANGE: &str = "
SELECT id, sender_id, created_at, content, message_type
FROM messages
WHERE conversation_id = $1
  AND created_at >= $2
  AND created_at < $3
  AND deleted_at IS NULL
ORDER BY created_at DESC, id DESC
LIMIT $4";

/// The newest messages of a range.
pub async fn message_range(pool: &PgPool, request: &RangeRequest) -> Result<Vec<Said>> {
    let rows = sqlx::query_as(MESSAGE_RANGE)
        .bind(request.conversation)
        .bind(request.since)
        .bind(request.until)
        .bind(request.limit);
    Ok(rows.fetch_all(pool).await?)
}

const POST_METADATA: &str = "
SELECT
    p.id,
    COALESCE(pm.like_count, 0) AS like_count,
    COALESCE(pm.comment_count, 0) AS comment_count,
    COALESCE(pm.view_count, 0) AS view_count
FROM posts AS p
LEFT JOIN post_metadata AS pm ON pm.post_id = p.id
WHERE p.id = ANY($1)
  AND p.soft_delete IS NULL
ORDER BY p.id";

/// What is counted about posts, by their ids.
pub async fn post_metadata(pool: &PgPool, posts: &[Uuid]) -> Result<Vec<Counts>> {
    let rows = sqlx::query_as(POST_METADATA).bind(posts);
    Ok(rows.fetch_all(pool).await?)
}
