//! Item 9 fixed: the count of members and the last message stand in the conversation's row.
//!
//! The row is written by every message anyway, for its time: today's trigger notes the message in
//! the same update, so that a send leaves one version of the row as before. All else that makes
//! another answer right (joins, leaves, messages deleted for good, what is moved) renews the row
//! from what is there, under its lock: no delta is added up that could be off. Conversations are
//! locked in the order of their ids; only rows moved in bulk are taken one by one, which nothing
//! in the service does.

use sqlx::PgPool;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::conversation_fetch::{Details, Listed};
use verdict_store::{Change, Engine, Step, Table};

macro_rules! script {
    ($name:literal) => {
        Step::Script(
            Engine::Postgres,
            include_str!(concat!("../migrations/conversation-fetch/", $name)),
        )
    };
}

/// The columns, what keeps them, and then what they hold. Each step is a transaction of its own,
/// so that none waits for one table while it holds another.
pub const CHANGE: Change = Change::steps(
    &[
        script!("up.sql"),
        script!("messages.up.sql"),
        script!("members.up.sql"),
        Step::Alone(include_str!(
            "../migrations/conversation-fetch/backfill.sql"
        )),
    ],
    &[
        script!("messages.down.sql"),
        script!("members.down.sql"),
        script!("down.sql"),
    ],
    &[
        Table::postgres("conversations"),
        Table::postgres("conversation_members"),
        Table::postgres("messages"),
    ],
);

const FETCH: &str = "
SELECT id, member_count, last_message_id
FROM conversations
WHERE id = $1";

/// A conversation.
pub async fn fetch(pool: &PgPool, id: Uuid) -> Result<Details> {
    let found = sqlx::query_as(FETCH).bind(id).fetch_optional(pool).await?;
    Ok(found.unwrap_or(Details {
        id,
        member_count: 0,
        last_message_id: None,
    }))
}

const LIST: &str = "
SELECT c.id, c.member_count, c.last_message_id, c.updated_at
FROM conversation_members AS member
JOIN conversations AS c ON c.id = member.conversation_id
WHERE member.user_id = $1
ORDER BY c.updated_at DESC
LIMIT 100";

/// A user's conversations, those first in which a message came last.
pub async fn list(pool: &PgPool, user: Uuid) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as(LIST).bind(user).fetch_all(pool).await?)
}
