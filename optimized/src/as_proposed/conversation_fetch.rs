//! The audit's fix for item 9: columns in the conversation's row, kept by triggers of their own
//! beside today's. For the list the audit offers no statement; it is read from the same columns.

use sqlx::PgPool;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::conversation_fetch::Details;
use verdict_store::{Change, Engine, Step};

use crate::conversation_fetch;

/// The columns, their backfill and the triggers, in one transaction.
pub const CHANGE: Change = Change::steps(
    &[Step::Script(
        Engine::Postgres,
        include_str!("../../migrations/conversation-fetch/proposed.up.sql"),
    )],
    &[Step::Script(
        Engine::Postgres,
        include_str!("../../migrations/conversation-fetch/proposed.down.sql"),
    )],
    conversation_fetch::CHANGE.touches,
);

const FETCH: &str = "
SELECT id, member_count, last_message_id
FROM conversations
WHERE id = $1";

/// A conversation. One that nobody knows is an error.
pub async fn fetch(pool: &PgPool, id: Uuid) -> Result<Details> {
    Ok(sqlx::query_as(FETCH).bind(id).fetch_one(pool).await?)
}

pub use crate::conversation_fetch::list;
