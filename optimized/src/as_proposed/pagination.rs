//! The audit's fix for item 7: a cursor over posts, one statement for the first page and the
//! following ones, on the index that exists today. For message history the audit names the
//! place and offers no statement, so there is none here.

use sqlx::PgPool;
use verdict_baseline::Result;
use verdict_baseline::pagination::Post;

use crate::pagination::PostsRequest;

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
  AND (
      ($2::timestamptz IS NULL)
      OR (created_at, id) < ($2, $3)
  )
ORDER BY created_at DESC, id DESC
LIMIT $4";

/// A page of an author's posts, newest first.
pub async fn posts(pool: &PgPool, request: &PostsRequest) -> Result<Vec<Post>> {
    Ok(sqlx::query_as(POSTS)
        .bind(request.user)
        .bind(request.after.map(|cursor| cursor.created_at))
        .bind(request.after.map(|cursor| cursor.id))
        .bind(request.limit)
        .fetch_all(pool)
        .await?)
}
