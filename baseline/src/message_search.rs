//! Item 8 as it is today: no vector is stored, so each search makes those of the whole
//! conversation, once to count and once for the page.
//!
//! The statement as the audit quotes it names a column that no migration makes. Today is what it
//! means without that column: the vector at query time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::{Refused, Result};

/// The largest page that is served.
pub const MAX_LIMIT: i64 = 500;
/// The page that is served when none is asked for.
pub const DEFAULT_LIMIT: i64 = 50;

/// The order of what is found. None breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    /// Newest first.
    Recent,
    /// Oldest first.
    Oldest,
    /// By `ts_rank`, then newest first.
    Relevance,
}

/// A search in one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The conversation.
    pub conversation: Uuid,
    /// What is looked for: plain words, all of which have to be there.
    pub text: String,
    /// In which order.
    pub sort: Sort,
    /// Rows, at most [`MAX_LIMIT`].
    pub limit: i64,
    /// Rows to skip.
    pub offset: i64,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Message {
    /// The message.
    pub id: Uuid,
    /// Who sent it.
    pub sender_id: Uuid,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// When it was recalled; recalled messages are found.
    pub recalled_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// 1, and one more per edit.
    pub version_number: i32,
    /// Plain text.
    pub content: String,
    /// `text`, `system`, `image` or `audio`.
    pub message_type: String,
}

/// A page of what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The page.
    pub messages: Vec<Message>,
    /// How many there are in all.
    pub total: i64,
}

const PRIVACY: &str = "
SELECT privacy_mode
FROM conversations
WHERE id = $1";

const COUNT: &str = "
SELECT COUNT(*)
FROM messages AS m
WHERE m.conversation_id = $1
  AND m.deleted_at IS NULL
  AND m.content IS NOT NULL
  AND TO_TSVECTOR('english', m.content) @@ PLAINTO_TSQUERY('english', $2)";

macro_rules! page_statement {
    ($order:literal) => {
        concat!(
            "
SELECT
    m.id,
    m.sender_id,
    m.created_at,
    m.recalled_at,
    m.updated_at,
    m.version_number,
    m.content,
    m.message_type
FROM messages AS m
WHERE m.conversation_id = $1
  AND m.deleted_at IS NULL
  AND m.content IS NOT NULL
  AND TO_TSVECTOR('english', m.content) @@ PLAINTO_TSQUERY('english', $2)
ORDER BY ",
            $order,
            "
LIMIT $3 OFFSET $4"
        )
    };
}

const RECENT: &str = page_statement!("m.created_at DESC");
const OLDEST: &str = page_statement!("m.created_at ASC");
const RELEVANCE: &str = page_statement!(
    "TS_RANK(TO_TSVECTOR('english', m.content), PLAINTO_TSQUERY('english', $2)) DESC,
    m.created_at DESC"
);

/// A page of the messages that hold all the words, and how many there are. Blank words find
/// nothing, and nothing is found in a conversation that is encrypted end to end.
pub async fn search(pool: &PgPool, request: &Request) -> Result<Found> {
    let page = match request.sort {
        Sort::Recent => RECENT,
        Sort::Oldest => OLDEST,
        Sort::Relevance => RELEVANCE,
    };
    search_by(pool, request, (COUNT, page)).await
}

/// The same by two statements that take what today's take: one that counts, one for a page.
pub async fn search_by(
    pool: &PgPool,
    request: &Request,
    (count, page): (&'static str, &'static str),
) -> Result<Found> {
    if request.text.trim().is_empty() || !is_searchable(pool, request.conversation).await? {
        return Ok(Found::default());
    }
    let total = sqlx::query_scalar(count)
        .bind(request.conversation)
        .bind(&request.text)
        .fetch_one(pool)
        .await?;
    let messages = sqlx::query_as(page)
        .bind(request.conversation)
        .bind(&request.text)
        .bind(request.limit.min(MAX_LIMIT))
        .bind(request.offset)
        .fetch_all(pool)
        .await?;
    Ok(Found { messages, total })
}

/// Whether a conversation has plain text to search.
///
/// # Errors
/// [`Refused::UnknownConversation`], or PostgreSQL's own words.
pub async fn is_searchable(pool: &PgPool, conversation: Uuid) -> Result<bool> {
    let privacy: Option<String> = sqlx::query_scalar(PRIVACY)
        .bind(conversation)
        .fetch_optional(pool)
        .await?;
    let privacy = privacy.ok_or(Refused::UnknownConversation)?;
    Ok(privacy != "strict_e2e")
}
