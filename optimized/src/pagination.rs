//! Item 7 fixed: cursors over an index whose order is total.
//!
//! The first page and the following ones are two statements: with one statement and an
//! `IS NULL OR` the cursor is lost to the index as soon as PostgreSQL takes a generic plan.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::message_history::{MAX_LIMIT, Message};
use verdict_baseline::pagination::Post;
use verdict_store::{Change, Engine, Step, Table};

/// The indexes whose order a cursor can stand on.
pub const CHANGE: Change = Change::steps(
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/pagination/up.sql"),
    )],
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/pagination/down.sql"),
    )],
    &[Table::postgres("posts"), Table::postgres("messages")],
);

/// A place between two rows ordered by time and id: after this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The row's time.
    pub created_at: DateTime<Utc>,
    /// The row's id.
    pub id: Uuid,
}

impl From<&Post> for Cursor {
    fn from(post: &Post) -> Self {
        Self {
            created_at: post.created_at,
            id: post.id,
        }
    }
}

/// A page of an author's posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostsRequest {
    /// The author.
    pub user: Uuid,
    /// Rows.
    pub limit: i64,
    /// The last post of the page before; none for the first page.
    pub after: Option<Cursor>,
}

/// A page of a conversation's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRequest {
    /// The conversation.
    pub conversation: Uuid,
    /// Rows, at most [`MAX_LIMIT`].
    pub limit: i64,
    /// The last message of the page before; none for the first page.
    pub after: Option<HistoryCursor>,
    /// Whether recalled messages are shown.
    pub include_recalled: bool,
}

/// A place in a conversation that knows how many messages stand before it, so that the next
/// page goes on numbering from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryCursor {
    /// The last message of the page before.
    pub message: Cursor,
    /// Its number.
    pub sequence_number: i64,
}

impl From<&Message> for HistoryCursor {
    fn from(message: &Message) -> Self {
        Self {
            message: Cursor {
                created_at: message.created_at,
                id: message.id,
            },
            sequence_number: message.sequence_number,
        }
    }
}

macro_rules! posts_statement {
    ($cursor:literal, $limit:literal) => {
        concat!(
            "
SELECT
    id,
    user_id,
    caption,
    image_key,
    image_sizes,
    status,
    content_type,
    created_at,
    updated_at,
    soft_delete
FROM posts
WHERE user_id = $1
  AND soft_delete IS NULL",
            $cursor,
            "
ORDER BY created_at DESC, id DESC
LIMIT ",
            $limit
        )
    };
}

const FIRST_POSTS: &str = posts_statement!("", "$2");
const NEXT_POSTS: &str = posts_statement!("\n  AND (created_at, id) < ($3, $4)", "$2");

macro_rules! history_statement {
    ($before:literal, $filter:literal) => {
        concat!(
            "
SELECT
    id,
    sender_id,
    ",
            $before,
            "ROW_NUMBER() OVER (ORDER BY created_at, id) AS sequence_number,
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
  AND deleted_at IS NULL",
            $filter,
            "
ORDER BY created_at, id
LIMIT $2"
        )
    };
}

const FIRST_HISTORY: &str = history_statement!("", "");
const FIRST_HISTORY_WITHOUT_RECALLED: &str = history_statement!("", "\n  AND recalled_at IS NULL");
const NEXT_HISTORY: &str = history_statement!("$5 + ", "\n  AND (created_at, id) > ($3, $4)");
const NEXT_HISTORY_WITHOUT_RECALLED: &str = history_statement!(
    "$5 + ",
    "\n  AND recalled_at IS NULL\n  AND (created_at, id) > ($3, $4)"
);

/// A page of an author's posts, newest first.
pub async fn posts(pool: &PgPool, request: &PostsRequest) -> Result<Vec<Post>> {
    let statement = match request.after {
        None => FIRST_POSTS,
        Some(_) => NEXT_POSTS,
    };
    let mut query = sqlx::query_as(statement)
        .bind(request.user)
        .bind(request.limit);
    if let Some(cursor) = request.after {
        query = query.bind(cursor.created_at).bind(cursor.id);
    }
    Ok(query.fetch_all(pool).await?)
}

/// A page of a conversation's messages, oldest first, numbered as today.
pub async fn history(pool: &PgPool, request: &HistoryRequest) -> Result<Vec<Message>> {
    let statement = match (request.after, request.include_recalled) {
        (None, true) => FIRST_HISTORY,
        (None, false) => FIRST_HISTORY_WITHOUT_RECALLED,
        (Some(_), true) => NEXT_HISTORY,
        (Some(_), false) => NEXT_HISTORY_WITHOUT_RECALLED,
    };
    let mut query = sqlx::query_as(statement)
        .bind(request.conversation)
        .bind(request.limit.min(MAX_LIMIT));
    if let Some(cursor) = request.after {
        query = query
            .bind(cursor.message.created_at)
            .bind(cursor.message.id)
            .bind(cursor.sequence_number);
    }
    Ok(query.fetch_all(pool).await?)
}
