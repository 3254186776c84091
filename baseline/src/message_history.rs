//! Item 1 as it is today: three statements and an assembly in memory.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::Result;

/// The largest page that is served.
pub const MAX_LIMIT: i64 = 200;
/// The page that is served when none is asked for.
pub const DEFAULT_LIMIT: i64 = 50;

/// A page of a conversation, as one viewer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The conversation.
    pub conversation: Uuid,
    /// Whose own reactions are marked.
    pub viewer: Uuid,
    /// Rows, at most [`MAX_LIMIT`].
    pub limit: i64,
    /// Rows to skip from the oldest.
    pub offset: i64,
    /// Whether recalled messages are shown.
    pub include_recalled: bool,
}

/// A message without its reactions and attachments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Message {
    /// The message.
    pub id: Uuid,
    /// Who sent it.
    pub sender_id: Uuid,
    /// Its place among the visible messages of the conversation, from 1, oldest first.
    pub sequence_number: i64,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// When it was recalled.
    pub recalled_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// 1, and one more per edit.
    pub version_number: i32,
    /// Plain text; absent in end-to-end encrypted conversations.
    pub content: Option<String>,
    /// Cipher text of end-to-end encrypted conversations.
    pub content_encrypted: Option<Vec<u8>>,
    /// The cipher's nonce.
    pub content_nonce: Option<Vec<u8>>,
    /// `text`, `system`, `image` or `audio`.
    pub message_type: String,
}

/// The reactions to a message with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// How many users reacted with it.
    pub count: i64,
    /// Whether the viewer is one of them.
    pub user_reacted: bool,
}

/// A file that belongs to a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attachment {
    /// The attachment.
    pub id: Uuid,
    /// Name shown to users.
    pub file_name: String,
    /// Media type.
    pub file_type: String,
    /// Bytes.
    pub file_size: i32,
    /// Where it is stored.
    pub s3_key: String,
}

/// A message of a history page. Neither reactions nor attachments have an order today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailedMessage {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// Its reactions, one entry per emoji.
    pub reactions: Vec<Reaction>,
    /// Its attachments.
    pub attachments: Vec<Attachment>,
}

const PAGE: &str = "
SELECT
    id,
    sender_id,
    ROW_NUMBER() OVER (ORDER BY created_at ASC) AS sequence_number,
    created_at,
    recalled_at,
    updated_at,
    version_number,
    content,
    content_encrypted,
    content_nonce,
    message_type
FROM messages
WHERE conversation_id = $1
  AND deleted_at IS NULL
ORDER BY created_at ASC
LIMIT $2 OFFSET $3";

const PAGE_WITHOUT_RECALLED: &str = "
SELECT
    id,
    sender_id,
    ROW_NUMBER() OVER (ORDER BY created_at ASC) AS sequence_number,
    created_at,
    recalled_at,
    updated_at,
    version_number,
    content,
    content_encrypted,
    content_nonce,
    message_type
FROM messages
WHERE conversation_id = $1
  AND deleted_at IS NULL
  AND recalled_at IS NULL
ORDER BY created_at ASC
LIMIT $2 OFFSET $3";

const REACTIONS: &str = "
SELECT
    message_id,
    emoji,
    COUNT(*) AS count,
    BOOL_OR(user_id = $1) AS user_reacted
FROM message_reactions
WHERE message_id = ANY($2)
GROUP BY message_id, emoji";

const ATTACHMENTS: &str = "
SELECT
    message_id,
    id,
    file_name,
    file_type,
    file_size,
    s3_key
FROM message_attachments
WHERE message_id = ANY($1)";

/// The page's messages, numbered over the whole filtered conversation before the page is cut.
pub async fn page(database: impl PgExecutor<'_>, request: &Request) -> Result<Vec<Message>> {
    let statement = if request.include_recalled {
        PAGE
    } else {
        PAGE_WITHOUT_RECALLED
    };
    Ok(sqlx::query_as(statement)
        .bind(request.conversation)
        .bind(request.limit.min(MAX_LIMIT))
        .bind(request.offset)
        .fetch_all(database)
        .await?)
}

type Reactions = Vec<(Uuid, String, i64, bool)>;
type Attachments = Vec<(Uuid, Uuid, String, String, i32, String)>;

async fn reactions(database: impl PgExecutor<'_>, viewer: Uuid, ids: &[Uuid]) -> Result<Reactions> {
    Ok(sqlx::query_as(REACTIONS)
        .bind(viewer)
        .bind(ids)
        .fetch_all(database)
        .await?)
}

async fn attachments(database: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<Attachments> {
    Ok(sqlx::query_as(ATTACHMENTS)
        .bind(ids)
        .fetch_all(database)
        .await?)
}

/// A page of history with reactions and attachments, in three statements that each take a
/// connection of the pool; in one when the page is empty.
pub async fn history(pool: &PgPool, request: &Request) -> Result<Vec<DetailedMessage>> {
    let messages = page(pool, request).await?;
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids(&messages);
    let reactions = reactions(pool, request.viewer, &ids).await?;
    let attachments = attachments(pool, &ids).await?;
    Ok(assemble(messages, reactions, attachments))
}

/// The same on one connection for all three statements: not what today does, but what tells the
/// statements' share of the cost from the pool's.
pub async fn history_on(
    connection: &mut PgConnection,
    request: &Request,
) -> Result<Vec<DetailedMessage>> {
    let messages = page(&mut *connection, request).await?;
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids(&messages);
    let reactions = reactions(&mut *connection, request.viewer, &ids).await?;
    let attachments = attachments(&mut *connection, &ids).await?;
    Ok(assemble(messages, reactions, attachments))
}

fn ids(messages: &[Message]) -> Vec<Uuid> {
    messages.iter().map(|message| message.id).collect()
}

fn assemble(
    messages: Vec<Message>,
    reactions: Reactions,
    attachments: Attachments,
) -> Vec<DetailedMessage> {
    let mut reactions_of: HashMap<Uuid, Vec<Reaction>> = HashMap::new();
    for (message, emoji, count, user_reacted) in reactions {
        reactions_of.entry(message).or_default().push(Reaction {
            emoji,
            count,
            user_reacted,
        });
    }
    let mut attachments_of: HashMap<Uuid, Vec<Attachment>> = HashMap::new();
    for (message, id, file_name, file_type, file_size, s3_key) in attachments {
        attachments_of.entry(message).or_default().push(Attachment {
            id,
            file_name,
            file_type,
            file_size,
            s3_key,
        });
    }
    messages
        .into_iter()
        .map(|message| DetailedMessage {
            reactions: reactions_of.remove(&message.id).unwrap_or_default(),
            attachments: attachments_of.remove(&message.id).unwrap_or_default(),
            message,
        })
        .collect()
}
