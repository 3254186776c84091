//! Posts.

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::pagination::Post;

const POST: &str = "
INSERT INTO posts (
    id, user_id, caption, image_key, image_sizes, status, content_type, created_at, updated_at,
    soft_delete
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const EDIT: &str = "
UPDATE posts
SET caption = $2,
    image_key = $3,
    image_sizes = $4,
    status = $5,
    content_type = $6,
    updated_at = $7,
    soft_delete = $8
WHERE id = $1";

const UNPOST: &str = "
DELETE FROM posts
WHERE id = $1";

/// A user posts; today's trigger makes the row of its counters.
pub async fn post(executor: impl PgExecutor<'_>, post: &Post) -> sqlx::Result<()> {
    sqlx::query(POST)
        .bind(post.id)
        .bind(post.user_id)
        .bind(&post.caption)
        .bind(&post.image_key)
        .bind(&post.image_sizes)
        .bind(&post.status)
        .bind(&post.content_type)
        .bind(post.created_at)
        .bind(post.updated_at)
        .bind(post.soft_delete)
        .execute(executor)
        .await
        .map(drop)
}

/// A post is altered, or deleted as its row tells; whether it was there.
pub async fn edit(executor: impl PgExecutor<'_>, post: &Post) -> sqlx::Result<bool> {
    let altered = sqlx::query(EDIT)
        .bind(post.id)
        .bind(&post.caption)
        .bind(&post.image_key)
        .bind(&post.image_sizes)
        .bind(&post.status)
        .bind(&post.content_type)
        .bind(post.updated_at)
        .bind(post.soft_delete)
        .execute(executor)
        .await?;
    Ok(altered.rows_affected() > 0)
}

/// A post's row goes, with what belongs to it; whether it was there.
pub async fn unpost(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<bool> {
    let gone = sqlx::query(UNPOST).bind(id).execute(executor).await?;
    Ok(gone.rows_affected() > 0)
}
