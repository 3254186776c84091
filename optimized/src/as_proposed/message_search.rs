//! The audit's fix for item 8: a stored vector and its index, and the statement that the audit
//! quotes, which needs them. Adding the column writes the table anew, and nobody reads or writes
//! messages meanwhile.

use sqlx::PgPool;
use verdict_baseline::Result;
use verdict_baseline::message_search::{Found, Request, Sort, search_by};
use verdict_store::{Change, Down, Engine, Step, Table};

/// The column and its index. Rows keep what was in a column that is dropped, so that only a copy
/// of the tables is as before.
pub const CHANGE: Change = Change {
    up: &[Step::Script(
        Engine::Postgres,
        include_str!("../../migrations/message-search/proposed.up.sql"),
    )],
    down: Down::Renew,
    touches: &[Table::postgres("messages")],
    ..Change::NONE
};

/// The same with the column made of the beginning of a long text: the vector of all of it may be
/// larger than one can be, and then the message is refused.
pub const MENDED: Change = Change {
    up: &[Step::Script(
        Engine::Postgres,
        include_str!("../../migrations/message-search/mended.up.sql"),
    )],
    ..CHANGE
};

const COUNT: &str = "
SELECT COUNT(*)
FROM messages AS m
WHERE m.conversation_id = $1
  AND m.deleted_at IS NULL
  AND m.content IS NOT NULL
  AND m.content_tsv @@ PLAINTO_TSQUERY('english', $2)";

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
  AND m.content_tsv @@ PLAINTO_TSQUERY('english', $2)
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
    "TS_RANK(m.content_tsv, PLAINTO_TSQUERY('english', $2)) DESC,
    m.created_at DESC"
);

/// A page of the messages that hold all the words, and how many there are.
pub async fn search(pool: &PgPool, request: &Request) -> Result<Found> {
    let page = match request.sort {
        Sort::Recent => RECENT,
        Sort::Oldest => OLDEST,
        Sort::Relevance => RELEVANCE,
    };
    search_by(pool, request, (COUNT, page)).await
}
