//! Item 1 fixed: one round trip at the cost of the page.
//!
//! A message's number is its place in the filtered conversation, so the rows of a page are
//! numbered from the offset on: nothing outside the page has to be read for it. The rows
//! before the page are passed over inside one index, without touching the table. Reactions and
//! attachments are looked up for the whole page at once, as today, and joined to it.

use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::message_history::{
    Attachment, DetailedMessage, MAX_LIMIT, Message, Reaction, Request,
};
use verdict_store::{Change, Engine, Step, Table};

/// One index for pages in a total order in place of today's partial one.
pub const CHANGE: Change = Change::steps(
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/message-history/up.sql"),
    )],
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/message-history/down.sql"),
    )],
    &[Table::postgres("messages")],
);

/// The statement for one filter; the two differ in nothing else. Two plain statements rather
/// than one with a flag, because a generic plan cannot drop a condition on a parameter.
macro_rules! history_statement {
    ($filter:literal) => {
        concat!(
            "
WITH first AS (
    SELECT created_at, id
    FROM messages
    WHERE conversation_id = $1
      AND deleted_at IS NULL",
            $filter,
            "
    ORDER BY created_at, id
    LIMIT 1 OFFSET $4
),
page AS MATERIALIZED (
    SELECT message.*
    FROM first
    CROSS JOIN LATERAL (
        SELECT *
        FROM messages
        WHERE conversation_id = $1
          AND deleted_at IS NULL",
            $filter,
            "
          AND (created_at, id) >= (first.created_at, first.id)
        ORDER BY created_at, id
        LIMIT $3
    ) AS message
),
reactions AS (
    SELECT
        message_id,
        ARRAY_AGG(emoji::text) AS emojis,
        ARRAY_AGG(count) AS counts,
        ARRAY_AGG(user_reacted) AS reacted
    FROM (
        SELECT
            message_id,
            emoji,
            COUNT(*) AS count,
            BOOL_OR(user_id = $2) AS user_reacted
        FROM message_reactions
        WHERE message_id = ANY(ARRAY(SELECT id FROM page))
        GROUP BY message_id, emoji
    ) AS reaction
    GROUP BY message_id
),
attachments AS (
    SELECT
        message_id,
        ARRAY_AGG(id) AS ids,
        ARRAY_AGG(file_name) AS file_names,
        ARRAY_AGG(file_type) AS file_types,
        ARRAY_AGG(file_size) AS file_sizes,
        ARRAY_AGG(s3_key) AS s3_keys
    FROM message_attachments
    WHERE message_id = ANY(ARRAY(SELECT id FROM page))
    GROUP BY message_id
)
SELECT
    page.id,
    page.sender_id,
    $4 + ROW_NUMBER() OVER (ORDER BY page.created_at, page.id) AS sequence_number,
    page.created_at,
    page.recalled_at,
    page.updated_at,
    page.version_number,
    page.content,
    page.content_encrypted,
    page.content_nonce,
    page.message_type,
    reactions.emojis,
    reactions.counts,
    reactions.reacted,
    attachments.ids,
    attachments.file_names,
    attachments.file_types,
    attachments.file_sizes,
    attachments.s3_keys
FROM page
LEFT JOIN reactions ON reactions.message_id = page.id
LEFT JOIN attachments ON attachments.message_id = page.id
ORDER BY page.created_at, page.id"
        )
    };
}

const HISTORY: &str = history_statement!("");
const HISTORY_WITHOUT_RECALLED: &str = history_statement!("\n      AND recalled_at IS NULL");

/// A row as it arrives. Arrays rather than JSON: they travel in binary and keep their types.
#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    message: Message,
    emojis: Option<Vec<String>>,
    counts: Option<Vec<i64>>,
    reacted: Option<Vec<bool>>,
    ids: Option<Vec<Uuid>>,
    file_names: Option<Vec<String>>,
    file_types: Option<Vec<String>>,
    file_sizes: Option<Vec<i32>>,
    s3_keys: Option<Vec<String>>,
}

impl From<Row> for DetailedMessage {
    fn from(row: Row) -> Self {
        let reactions = row
            .emojis
            .into_iter()
            .flatten()
            .zip(row.counts.into_iter().flatten())
            .zip(row.reacted.into_iter().flatten())
            .map(|((emoji, count), user_reacted)| Reaction {
                emoji,
                count,
                user_reacted,
            })
            .collect();
        let attachments = row
            .ids
            .into_iter()
            .flatten()
            .zip(row.file_names.into_iter().flatten())
            .zip(row.file_types.into_iter().flatten())
            .zip(row.file_sizes.into_iter().flatten())
            .zip(row.s3_keys.into_iter().flatten())
            .map(
                |((((id, file_name), file_type), file_size), s3_key)| Attachment {
                    id,
                    file_name,
                    file_type,
                    file_size,
                    s3_key,
                },
            )
            .collect();
        Self {
            message: row.message,
            reactions,
            attachments,
        }
    }
}

/// A page of history with reactions and attachments, in one round trip.
pub async fn history(
    database: impl PgExecutor<'_>,
    request: &Request,
) -> Result<Vec<DetailedMessage>> {
    let statement = if request.include_recalled {
        HISTORY
    } else {
        HISTORY_WITHOUT_RECALLED
    };
    let rows: Vec<Row> = sqlx::query_as(statement)
        .bind(request.conversation)
        .bind(request.viewer)
        .bind(request.limit.min(MAX_LIMIT))
        .bind(request.offset)
        .fetch_all(database)
        .await?;
    Ok(rows.into_iter().map(DetailedMessage::from).collect())
}
