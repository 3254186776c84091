//! Item 13 as it is today: a post and a conversation are read from PostgreSQL every time, however
//! often they are asked for.

use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

pub use crate::conversation_fetch::{Details, fetch as conversation};
pub use crate::pagination::Post;

use crate::Result;

const POST: &str = "
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
WHERE id = $1
  AND soft_delete IS NULL";

/// A post; none where nobody has the id, or it is deleted.
pub async fn post(pool: &PgPool, id: Uuid) -> Result<Option<Post>> {
    Ok(sqlx::query_as(POST).bind(id).fetch_optional(pool).await?)
}

const UPDATE_STATUS: &str = "
UPDATE posts
SET status = $2,
    updated_at = NOW()
WHERE id = $1";

/// Gives a post another status: `pending`, `processing`, `published` or `failed`.
pub async fn update_status(executor: impl PgExecutor<'_>, post: Uuid, status: &str) -> Result<()> {
    sqlx::query(UPDATE_STATUS)
        .bind(post)
        .bind(status)
        .execute(executor)
        .await?;
    Ok(())
}
