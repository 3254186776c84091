//! Item 2 fixed: the number comes from a counter in the conversation's row.
//!
//! One statement raises the counter, moves `updated_at` and inserts the message. The update
//! locks the one row that today's trigger locks too, and holds the next sender back until the
//! number before it is committed or given back, so numbers have neither gap nor double.
//! Every writer of messages has to go through this statement.

use sqlx::PgPool;
use verdict_baseline::message_send::{Request, Sent};
use verdict_baseline::{Error, Result};

use crate::migration::Migration;

/// A counter per conversation, filled from what is there, in place of today's trigger.
pub const MIGRATION: Migration = Migration {
    up: include_str!("../migrations/message-send/up.sql"),
    down: include_str!("../migrations/message-send/down.sql"),
};

const SEND: &str = "
WITH counter AS (
    UPDATE conversations
    SET last_sequence_number = last_sequence_number + 1,
        updated_at = NOW()
    WHERE id = $2
    RETURNING id, last_sequence_number
),
message AS (
    INSERT INTO messages (id, conversation_id, sender_id, content, idempotency_key)
    SELECT $1, id, $3, $4, $5
    FROM counter
    RETURNING id
)
SELECT counter.last_sequence_number
FROM counter
CROSS JOIN message";

/// Sends a message, in one round trip.
pub async fn send(pool: &PgPool, request: &Request) -> Result<Sent> {
    let sequence_number = sqlx::query_scalar(SEND)
        .bind(request.id)
        .bind(request.conversation)
        .bind(request.sender)
        .bind(&request.content)
        .bind(request.idempotency_key)
        .fetch_optional(pool)
        .await?
        .ok_or(Error::UnknownConversation)?;
    Ok(Sent {
        id: request.id,
        sequence_number,
    })
}
