//! Item 14 as it is today: old and new messages are kept alike, in one table and its indexes. What
//! is old is deleted row by row.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::Result;
use crate::indexes::Said;

/// The newest messages of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The conversation.
    pub conversation: Uuid,
    /// The first instant that is looked at; none where all of it is.
    pub since: Option<DateTime<Utc>>,
    /// Rows at most.
    pub limit: i64,
}

macro_rules! statement {
    ($since:literal) => {
        concat!(
            "
SELECT id, sender_id, created_at, content, message_type
FROM messages
WHERE conversation_id = $1
  AND deleted_at IS NULL
  AND recalled_at IS NULL",
            $since,
            "
ORDER BY created_at DESC, id DESC
LIMIT $2"
        )
    };
}

const RECENT: &str = statement!("");
const RECENT_SINCE: &str = statement!(
    "
  AND created_at >= $3"
);

/// The newest messages that are to be seen, newest first.
pub async fn recent(pool: &PgPool, request: &Request) -> Result<Vec<Said>> {
    let rows = sqlx::query_as(request.statement())
        .bind(request.conversation)
        .bind(request.limit);
    let rows = match request.since {
        Some(since) => rows.bind(since),
        None => rows,
    };
    Ok(rows.fetch_all(pool).await?)
}

impl Request {
    /// What is sent for it: `$1` is the conversation, `$2` the limit and `$3`, where there is one,
    /// the first instant.
    pub fn statement(&self) -> &'static str {
        match self.since {
            Some(_) => RECENT_SINCE,
            None => RECENT,
        }
    }
}

const RETIRE: &str = "
DELETE FROM messages
WHERE created_at < $1";

/// Lets go of the messages before a month, with what belongs to them; how many those were.
pub async fn retire(executor: impl PgExecutor<'_>, keep_from: DateTime<Utc>) -> sqlx::Result<u64> {
    let gone = sqlx::query(RETIRE).bind(keep_from).execute(executor);
    Ok(gone.await?.rows_affected())
}
