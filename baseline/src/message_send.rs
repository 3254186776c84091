//! Item 2 as it is today: an insert, then a count of the whole conversation.

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
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
    sqlx::query(INSERT)
        .bind(request.id)
        .bind(request.conversation)
        .bind(request.sender)
        .bind(&request.content)
        .bind(request.idempotency_key)
        .execute(pool)
        .await?;
    let sequence_number = sqlx::query_scalar(COUNT)
        .bind(request.conversation)
        .fetch_one(pool)
        .await?;
    Ok(Sent {
        id: request.id,
        sequence_number,
    })
}
