//! Item 2 as it is today: an insert, then a count of the whole conversation.

use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::Result;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The message's id, chosen by the caller.
    pub id: Uuid,
    /// Where it goes.
    pub conversation: Uuid,
    /// Who sends it.
    pub sender: Uuid,
    /// Plain text.
    pub content: String,
    /// The same key is accepted once.
    pub idempotency_key: Option<Uuid>,
}

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message.
    pub id: Uuid,
    /// Its number in the conversation, from 1, deleted messages included.
    pub sequence_number: i64,
}

const INSERT: &str = "
INSERT INTO messages (id, conversation_id, sender_id, content, idempotency_key)
VALUES ($1, $2, $3, $4, $5)";

const COUNT: &str = "
SELECT COUNT(*)::bigint
FROM messages
WHERE conversation_id = $1";

/// Sends a message, in two round trips and no transaction: two senders at once can be given
/// the same number.
pub async fn send(pool: &PgPool, request: &Request) -> Result<Sent> {
    insert(pool, request).await?;
    number(pool, request).await
}

/// The first of the two: stores the message.
pub async fn insert(database: impl PgExecutor<'_>, request: &Request) -> Result<()> {
    sqlx::query(INSERT)
        .bind(request.id)
        .bind(request.conversation)
        .bind(request.sender)
        .bind(&request.content)
        .bind(request.idempotency_key)
        .execute(database)
        .await?;
    Ok(())
}

/// The second: numbers the message that was stored last.
pub async fn number(database: impl PgExecutor<'_>, request: &Request) -> Result<Sent> {
    let sequence_number = sqlx::query_scalar(COUNT)
        .bind(request.conversation)
        .fetch_one(database)
        .await?;
    Ok(Sent {
        id: request.id,
        sequence_number,
    })
}

const REMOVE: &str = "
DELETE FROM messages
WHERE id = ANY($1)";

const SET_TIME_BACK: &str = "
UPDATE conversations
SET updated_at = (
    SELECT created_at
    FROM messages
    WHERE conversation_id = $1
    ORDER BY created_at DESC
    LIMIT 1
)
WHERE id = $1";

const IS_COUNTED: &str = "
SELECT EXISTS (
    SELECT
    FROM pg_attribute
    WHERE attrelid = 'conversations'::regclass
      AND attname = 'last_sequence_number'
      AND NOT attisdropped
)";

const SET_COUNTER_BACK: &str = "
UPDATE conversations
SET last_sequence_number = last_sequence_number - $2
WHERE id = $1";

/// Takes messages of one conversation back, those of `rows` that are there: what a trial and a
/// load use to leave the conversation as they found it. Sets its time back to that of the newest
/// message that stays and, where a variant counts messages in its row, the counter too. Answers
/// how many were there.
pub async fn unsend(pool: &PgPool, conversation: Uuid, rows: &[Uuid]) -> sqlx::Result<u64> {
    let mut transaction = pool.begin().await?;
    // What is taken back needs to survive no crash.
    sqlx::query("SET LOCAL synchronous_commit = off")
        .execute(&mut *transaction)
        .await?;
    let removed = sqlx::query(REMOVE)
        .bind(rows)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    sqlx::query(SET_TIME_BACK)
        .bind(conversation)
        .execute(&mut *transaction)
        .await?;
    let counted: bool = sqlx::query_scalar(IS_COUNTED)
        .fetch_one(&mut *transaction)
        .await?;
    if counted {
        sqlx::query(SET_COUNTER_BACK)
            .bind(conversation)
            .bind(removed as i64)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(removed)
}
