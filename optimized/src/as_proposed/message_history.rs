//! The audit's fix for item 1: one statement that joins, numbers and aggregates the whole
//! conversation, and cuts the page last.

use sqlx::types::Json;
use sqlx::{FromRow, PgExecutor};
use verdict_baseline::Result;
use verdict_baseline::message_history::{
    Attachment, DetailedMessage, MAX_LIMIT, Message, Reaction, Request,
};

const HISTORY: &str = "
SELECT
    m.id,
    m.sender_id,
    ROW_NUMBER() OVER (ORDER BY m.created_at ASC) AS sequence_number,
    m.created_at,
    m.recalled_at,
    m.updated_at,
    m.version_number,
    m.content,
    m.content_encrypted,
    m.content_nonce,
    m.message_type,
    COALESCE(
        JSON_AGG(
            DISTINCT JSONB_BUILD_OBJECT(
                'emoji', r.emoji,
                'count', r.reaction_count,
                'user_reacted', r.user_reacted
            )
        ) FILTER (WHERE r.emoji IS NOT NULL),
        '[]'::json
    ) AS reactions,
    COALESCE(
        JSON_AGG(
            DISTINCT JSONB_BUILD_OBJECT(
                'id', a.id,
                'file_name', a.file_name,
                'file_type', a.file_type,
                'file_size', a.file_size,
                's3_key', a.s3_key
            )
        ) FILTER (WHERE a.id IS NOT NULL),
        '[]'::json
    ) AS attachments
FROM messages AS m
LEFT JOIN LATERAL (
    SELECT
        emoji,
        COUNT(*) AS reaction_count,
        BOOL_OR(user_id = $1) AS user_reacted
    FROM message_reactions
    WHERE message_id = m.id
    GROUP BY emoji
) AS r ON TRUE
LEFT JOIN message_attachments AS a ON a.message_id = m.id
WHERE m.conversation_id = $2
  AND m.deleted_at IS NULL
  AND ($3 OR m.recalled_at IS NULL)
GROUP BY
    m.id,
    m.sender_id,
    m.created_at,
    m.recalled_at,
    m.updated_at,
    m.version_number,
    m.content,
    m.content_encrypted,
    m.content_nonce,
    m.message_type
ORDER BY m.created_at ASC
LIMIT $4 OFFSET $5";

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    message: Message,
    reactions: Json<Vec<Reaction>>,
    attachments: Json<Vec<Attachment>>,
}

/// A page of history with reactions and attachments, in one round trip.
pub async fn history(
    database: impl PgExecutor<'_>,
    request: &Request,
) -> Result<Vec<DetailedMessage>> {
    let rows: Vec<Row> = sqlx::query_as(HISTORY)
        .bind(request.viewer)
        .bind(request.conversation)
        .bind(request.include_recalled)
        .bind(request.limit.min(MAX_LIMIT))
        .bind(request.offset)
        .fetch_all(database)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| DetailedMessage {
            message: row.message,
            reactions: row.reactions.0,
            attachments: row.attachments.0,
        })
        .collect())
}
