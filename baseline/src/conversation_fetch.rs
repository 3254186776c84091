//! Item 9 as it is today: members are counted and the last message is looked up for every
//! conversation, one fetched by itself and a hundred in a list.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Result;

/// Conversations of a list at most.
pub const LISTED: usize = 100;

/// A conversation. One that nobody knows has no members and no last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Details {
    /// The conversation.
    pub id: Uuid,
    /// Its members.
    pub member_count: i32,
    /// The message with the latest time, deleted and recalled ones included; among those of one
    /// instant, any.
    pub last_message_id: Option<Uuid>,
}

/// A conversation in a member's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Listed {
    /// The conversation.
    #[sqlx(flatten)]
    pub details: Details,
    /// The time of the message that came last, which the list is ordered by.
    pub updated_at: DateTime<Utc>,
}

const FETCH: &str = "
SELECT
    $1::uuid AS id,
    (
        SELECT COUNT(*)::int
        FROM conversation_members AS cm
        WHERE cm.conversation_id = $1
    ) AS member_count,
    (
        SELECT m.id
        FROM messages AS m
        WHERE m.conversation_id = $1
        ORDER BY m.created_at DESC
        LIMIT 1
    ) AS last_message_id";

/// A conversation.
pub async fn fetch(pool: &PgPool, id: Uuid) -> Result<Details> {
    Ok(sqlx::query_as(FETCH).bind(id).fetch_one(pool).await?)
}

// Archived conversations too: the code of that day leaves none out.
const LIST: &str = "
SELECT
    c.id,
    (
        SELECT COUNT(*)::int
        FROM conversation_members AS cm
        WHERE cm.conversation_id = c.id
    ) AS member_count,
    (
        SELECT m.id
        FROM messages AS m
        WHERE m.conversation_id = c.id
        ORDER BY m.created_at DESC
        LIMIT 1
    ) AS last_message_id,
    c.updated_at
FROM conversation_members AS member
JOIN conversations AS c ON c.id = member.conversation_id
WHERE member.user_id = $1
ORDER BY c.updated_at DESC
LIMIT 100";

/// A user's conversations, those first in which a message came last.
pub async fn list(pool: &PgPool, user: Uuid) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as(LIST).bind(user).fetch_all(pool).await?)
}
