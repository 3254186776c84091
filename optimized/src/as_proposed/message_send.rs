//! The audit's two solutions for item 2.

use sqlx::PgPool;
use verdict_baseline::Result;
use verdict_baseline::message_send::{Request, Sent};
use verdict_store::{Change, Engine, Step, Table};

const TOUCHES: &[Table] = &[
    Table::postgres("conversations"),
    Table::postgres("messages"),
];

const TRIGGER_UP: Step = Step::Script(
    Engine::Postgres,
    include_str!("../../migrations/message-send/proposed-trigger.up.sql"),
);
const TRIGGER_DOWN: Step = Step::Script(
    Engine::Postgres,
    include_str!("../../migrations/message-send/proposed-trigger.down.sql"),
);

/// What the second solution needs.
pub const TRIGGER: Change = Change::steps(&[TRIGGER_UP], &[TRIGGER_DOWN], TOUCHES);

/// The smallest repair that lets the second solution run: the column that its trigger and its
/// statement name, `messages.sequence_number`. The counters still begin at 0.
pub const MENDED_TRIGGER: Change = Change::steps(
    &[
        Step::Script(
            Engine::Postgres,
            "ALTER TABLE messages ADD COLUMN sequence_number bigint",
        ),
        TRIGGER_UP,
    ],
    &[
        TRIGGER_DOWN,
        Step::Script(
            Engine::Postgres,
            "ALTER TABLE messages DROP COLUMN sequence_number",
        ),
    ],
    TOUCHES,
);

const SEND_CTE: &str = "
WITH new_message AS (
    INSERT INTO messages (id, conversation_id, sender_id, content, idempotency_key)
    VALUES ($1, $2, $3, $4, $5)
    RETURNING *
)
SELECT
    nm.*,
    (SELECT COUNT(*) FROM messages WHERE conversation_id = nm.conversation_id) AS seq
FROM new_message AS nm";

const SEND_TRIGGER: &str = "
INSERT INTO messages (id, conversation_id, sender_id, content, idempotency_key)
VALUES ($1, $2, $3, $4, $5)
RETURNING id, sequence_number";

/// Solution 1: insert and count in one statement. The count sees the table as it was before
/// the insert.
pub async fn send_cte(pool: &PgPool, request: &Request) -> Result<Sent> {
    send(pool, SEND_CTE, "seq", request).await
}

/// Solution 2: a trigger raises a counter and stores the number on the message.
pub async fn send_trigger(pool: &PgPool, request: &Request) -> Result<Sent> {
    send(pool, SEND_TRIGGER, "sequence_number", request).await
}

async fn send(
    pool: &PgPool,
    statement: &'static str,
    number: &str,
    request: &Request,
) -> Result<Sent> {
    use sqlx::Row as _;

    let row = sqlx::query(statement)
        .bind(request.id)
        .bind(request.conversation)
        .bind(request.sender)
        .bind(&request.content)
        .bind(request.idempotency_key)
        .fetch_one(pool)
        .await?;
    Ok(Sent {
        id: row.try_get("id")?,
        sequence_number: row.try_get(number)?,
    })
}
