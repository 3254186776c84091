//! Item 2 fixed: the number comes from a counter in the conversation's row.
//!
//! The statement locks the conversation's row, which today's trigger locks too, and reads the
//! counter from it; the trigger, after the insert, raises the counter and moves `updated_at` in
//! the one update that it makes today. The lock holds the next sender back until the number
//! before it is committed or given back, so numbers have neither gap nor double; and whoever
//! still sends as today, while a deploy rolls, is counted as well. The message's time is taken
//! under the lock too, so that numbers and times are of one order: the time of the transaction,
//! which is today's, may be that of a sender who waited.
//!
//! Lost: raising the counter in the statement itself and dropping the trigger (a little less
//! work, but a message sent as today is then never counted).

use sqlx::PgPool;
use verdict_baseline::message_send::{Request, Sent};
use verdict_baseline::{Refused, Result};
use verdict_store::{Change, Engine, Step, Table};

/// A counter per conversation, filled from what is there, and raised by today's trigger.
pub const CHANGE: Change = Change::steps(
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/message-send/up.sql"),
    )],
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/message-send/down.sql"),
    )],
    &[
        Table::postgres("conversations"),
        Table::postgres("messages"),
    ],
);

const SEND: &str = "
WITH counter AS (
    SELECT id, last_sequence_number
    FROM conversations
    WHERE id = $2
    FOR NO KEY UPDATE
),
stamped AS MATERIALIZED (
    SELECT id, CLOCK_TIMESTAMP() AS now
    FROM counter
),
message AS (
    INSERT INTO messages (
        id, conversation_id, sender_id, content, idempotency_key, created_at, updated_at
    )
    SELECT $1, id, $3, $4, $5, now, now
    FROM stamped
    RETURNING id
)
SELECT counter.last_sequence_number + 1
FROM counter
CROSS JOIN message";

/// Sends a message, in one statement.
pub async fn send(pool: &PgPool, request: &Request) -> Result<Sent> {
    let sequence_number = sqlx::query_scalar(SEND)
        .bind(request.id)
        .bind(request.conversation)
        .bind(request.sender)
        .bind(&request.content)
        .bind(request.idempotency_key)
        .fetch_optional(pool)
        .await?
        .ok_or(Refused::UnknownConversation)?;
    Ok(Sent {
        id: request.id,
        sequence_number,
    })
}
