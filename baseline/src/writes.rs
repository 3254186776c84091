//! Writes that no item owns, as they are today: what histories, prices and loads make.

use sqlx::PgExecutor;
use uuid::Uuid;

const JOIN: &str = "
INSERT INTO conversation_members (id, conversation_id, user_id, role)
VALUES (GEN_RANDOM_UUID(), $1, $2, 'member')
ON CONFLICT (conversation_id, user_id) DO NOTHING";

const LEAVE: &str = "
DELETE FROM conversation_members
WHERE conversation_id = $1
  AND user_id = $2";

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

async fn one(
    executor: impl PgExecutor<'_>,
    statement: &'static str,
    conversation: Uuid,
    user: Uuid,
) -> sqlx::Result<bool> {
    let written = sqlx::query(statement)
        .bind(conversation)
        .bind(user)
        .execute(executor)
        .await?;
    Ok(written.rows_affected() > 0)
}
