//! Writes that no item owns, as they are today: what histories, prices and loads make.
//!
//! - here: who joins a conversation, and who leaves it;
//! - [`posts`], [`reactions`]: posts, and what is given to messages;
//! - [`arrivals`]: posts, likes and comments as the change feeds bring them to ClickHouse.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

pub mod arrivals;
pub mod posts;
pub mod reactions;

const JOIN: &str = "
INSERT INTO conversation_members (id, conversation_id, user_id, role)
VALUES (GEN_RANDOM_UUID(), $1, $2, 'member')
ON CONFLICT (conversation_id, user_id) DO NOTHING";

const LEAVE: &str = "
DELETE FROM conversation_members
WHERE conversation_id = $1
  AND user_id = $2";

const PUBLISH: &str = "
INSERT INTO posts (id, user_id, image_key, status)
VALUES ($1, $2, 'posts/' || $1::text, 'published')";

const LIKE: &str = "
UPDATE post_metadata
SET like_count = like_count + 1
WHERE post_id = $1";

/// A user joins a conversation; whether he or she was none of its members.
pub async fn join(
    executor: impl PgExecutor<'_>,
    conversation: Uuid,
    user: Uuid,
) -> sqlx::Result<bool> {
    one(executor, JOIN, conversation, user).await
}

/// A user leaves a conversation; whether he or she was one of its members.
pub async fn leave(
    executor: impl PgExecutor<'_>,
    conversation: Uuid,
    user: Uuid,
) -> sqlx::Result<bool> {
    one(executor, LEAVE, conversation, user).await
}

/// An author publishes a post; whether it is there.
pub async fn publish(
    executor: impl PgExecutor<'_>,
    post: Uuid,
    author: Uuid,
) -> sqlx::Result<bool> {
    one(executor, PUBLISH, post, author).await
}

/// A like is counted; whether there is such a post.
pub async fn like(executor: impl PgExecutor<'_>, post: Uuid) -> sqlx::Result<bool> {
    let counted = sqlx::query(LIKE).bind(post).execute(executor).await?;
    Ok(counted.rows_affected() > 0)
}

async fn one(
    executor: impl PgExecutor<'_>,
    statement: &'static str,
    what: Uuid,
    who: Uuid,
) -> sqlx::Result<bool> {
    let written = sqlx::query(statement)
        .bind(what)
        .bind(who)
        .execute(executor)
        .await?;
    Ok(written.rows_affected() > 0)
}

const JOIN_MANY: &str = "
INSERT INTO conversation_members (id, conversation_id, user_id, role)
SELECT GEN_RANDOM_UUID(), id, $2, $3
FROM UNNEST($1) WITH ORDINALITY AS listed (id, place)
ORDER BY place";

const LEAVE_MANY: &str = "
DELETE FROM conversation_members
WHERE conversation_id = ANY($1)
  AND user_id = $2";

/// A user joins conversations, in the order in which they are listed, as `owner`, `admin` or
/// `member`; he or she is a member of none of them.
pub async fn join_many(
    executor: impl PgExecutor<'_>,
    conversations: &[Uuid],
    user: Uuid,
    role: &str,
) -> sqlx::Result<()> {
    sqlx::query(JOIN_MANY)
        .bind(conversations)
        .bind(user)
        .bind(role)
        .execute(executor)
        .await
        .map(drop)
}

/// A user leaves conversations.
pub async fn leave_many(
    executor: impl PgExecutor<'_>,
    conversations: &[Uuid],
    user: Uuid,
) -> sqlx::Result<()> {
    sqlx::query(LEAVE_MANY)
        .bind(conversations)
        .bind(user)
        .execute(executor)
        .await
        .map(drop)
}

const GATHER: &str = "
INSERT INTO conversation_members (id, conversation_id, user_id, role, joined_at, created_at)
SELECT MD5($1::text || member::text)::uuid, $1, member, 'member', $3, $3
FROM UNNEST($2) AS member";

/// Users join a conversation at a time that is told.
pub async fn gather(
    executor: impl PgExecutor<'_>,
    conversation: Uuid,
    members: &[Uuid],
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query(GATHER)
        .bind(conversation)
        .bind(members)
        .bind(at)
        .execute(executor)
        .await
        .map(drop)
}
