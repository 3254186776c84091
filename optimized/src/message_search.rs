//! Item 8 fixed: an index of the conversation and the words, built while all go on, and one
//! statement.
//!
//! What matches is looked up once, for the count and for the page; only the page's rows are read
//! whole. The index is written with the message (`fastupdate = off`): what waits in a list is
//! read through by every search, in all conversations. Pages are cut from a total order, so that
//! they neither repeat nor miss a row.
//!
//! What lost, in a world of 1.5 million messages, as medians of the rare and the common word in a
//! conversation of 100 000, in turns on a busy machine (today took 758 and 300 ms, and 1.3 kB of
//! WAL for a message; this 0.9 and 14 ms, 3.9 kB, and an index of 29 MB):
//! - an index of the words alone, 23 MB: 5.9 and 34 ms, since it finds those of all conversations;
//! - this index with a list of what waits, 1.6 kB a message at first: 0.9 and 13 ms when the list is
//!   empty, 1.1 ms for the rare word when 1 000 messages wait and 3.1 ms when 2 500 do;
//! - an index of arrays of the conversation's id and word in one, 455 MB: 6.5 and 14 ms;
//! - a table of conversation, word, time and message with a key of all four, kept by a trigger,
//!   846 MB: 0.2 and 0.8 ms, 2.6 kB a message. The quickest by far, and larger than the messages
//!   themselves; it says nothing of relevance, and each word more is a join more.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;
use verdict_baseline::message_search::{Found, MAX_LIMIT, Message, Request, Sort};
use verdict_baseline::{Refused, Result};
use verdict_store::{Change, Engine, Step, Table};

/// The function that is indexed, and the index.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Script(
            Engine::Postgres,
            include_str!("../migrations/message-search/up.sql"),
        ),
        Step::Alone(include_str!("../migrations/message-search/index.sql")),
    ],
    &[
        Step::Alone("DROP INDEX CONCURRENTLY idx_messages_search"),
        Step::Script(
            Engine::Postgres,
            include_str!("../migrations/message-search/down.sql"),
        ),
    ],
    &[Table::postgres("messages")],
);

/// The statement for one order. An unknown conversation has no row, any other one at least.
macro_rules! search_statement {
    ($rank:literal, $order:literal) => {
        concat!(
            "
WITH found AS MATERIALIZED (
    SELECT id, created_at",
            $rank,
            "
    FROM messages
    WHERE conversation_id = $1
      AND deleted_at IS NULL
      AND MESSAGE_VECTOR(content) @@ PLAINTO_TSQUERY('english', $2)
      AND (SELECT privacy_mode FROM conversations WHERE id = $1) <> 'strict_e2e'
),
page AS (
    SELECT *
    FROM found AS page
    ORDER BY ",
            $order,
            ", page.id
    LIMIT $3 OFFSET $4
)
SELECT
    (SELECT COUNT(*) FROM found) AS total,
    m.id,
    m.sender_id,
    m.created_at,
    m.recalled_at,
    m.updated_at,
    m.version_number,
    m.content,
    m.message_type
FROM conversations AS c
LEFT JOIN (page JOIN messages AS m ON m.id = page.id) ON true
WHERE c.id = $1
ORDER BY ",
            $order
        )
    };
}

const RECENT: &str = search_statement!("", "page.created_at DESC");
const OLDEST: &str = search_statement!("", "page.created_at");
const RELEVANCE: &str = search_statement!(
    ", TS_RANK(MESSAGE_VECTOR(content), PLAINTO_TSQUERY('english', $2)) AS rank",
    "page.rank DESC, page.created_at DESC"
);

/// A row as it arrives: the message is absent where the page has none.
#[derive(FromRow)]
struct Row {
    total: i64,
    id: Option<Uuid>,
    sender_id: Option<Uuid>,
    created_at: Option<DateTime<Utc>>,
    recalled_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    version_number: Option<i32>,
    content: Option<String>,
    message_type: Option<String>,
}

impl Row {
    fn message(self) -> Option<Message> {
        Some(Message {
            id: self.id?,
            sender_id: self.sender_id?,
            created_at: self.created_at?,
            recalled_at: self.recalled_at,
            updated_at: self.updated_at?,
            version_number: self.version_number?,
            content: self.content?,
            message_type: self.message_type?,
        })
    }
}

/// A page of the messages that hold all the words, and how many there are, in one round trip.
pub async fn search(pool: &PgPool, request: &Request) -> Result<Found> {
    if request.text.trim().is_empty() {
        return Ok(Found::default());
    }
    let statement = match request.sort {
        Sort::Recent => RECENT,
        Sort::Oldest => OLDEST,
        Sort::Relevance => RELEVANCE,
    };
    let rows: Vec<Row> = sqlx::query_as(statement)
        .bind(request.conversation)
        .bind(&request.text)
        .bind(request.limit.min(MAX_LIMIT))
        .bind(request.offset)
        .fetch_all(pool)
        .await?;
    let total = rows.first().ok_or(Refused::UnknownConversation)?.total;
    let messages = rows.into_iter().filter_map(Row::message).collect();
    Ok(Found { messages, total })
}
