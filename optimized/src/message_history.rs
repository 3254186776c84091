//! Item 1 fixed: one round trip at the cost of the page, wherever it is.
//!
//! A message's number is its place in the filtered conversation, so the rows of a page are
//! numbered from the offset on: nothing outside the page has to be read for it. Its first row is
//! found inside one index, from whichever end is nearer: the conversation's row counts its
//! messages, in the update that today's trigger makes for each of them anyway, and those that a
//! history leaves out are counted in an index of their own. Messages tell whether they have
//! reactions or files, so that only those of the few that have some are looked up. Nothing is
//! joined, sorted or numbered: that took longer than what it read.
//!
//! A page in the middle still passes over up to half of the index. The first reaction to a message
//! writes its row, so two transactions with first reactions to the same messages in opposite orders
//! would wait for each other; in the service each has one.
//!
//! Lost, as the engine's own time in us of the first page at 1 000 and 10 000 messages and of the
//! last page at both (fastest fifth of 50 blocks on a busy machine; today took 487, 425, 1 027 and
//! 13 600; this 166, 176, 212 and 254):
//! - one statement that joins reactions and files of all of the page to it: 1 124, 945, 1 191, 3 160;
//! - this without flags, looking up every message: 605, 699, 844, 769;
//! - this with the rows numbered by the statement: 214 and 247;
//! - the first row always counted from the start: 246 and 1 708 for the last page;
//! - reactions sent one by one and counted here: 146 and 153, but of a message with thousands of
//!   reactions thousands are sent;
//! - an index of reactions by emoji, so that none are sorted: 5 % less, for an index more to write;
//! - all reactions and files in the message's row, kept by a trigger: 93, 90, 138 and 152. The
//!   quickest to read, but every reaction writes the message anew: 1 688 bytes of WAL, one after the
//!   other for each message (today and with flags 608; the first 744), 456 for one withdrawn (today
//!   56, flags 248) and 776 for a file (416, 552), in pages with room;
//! - counts of each day, which would find any page: 220 bytes of WAL a send and a version more.

use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::message_history::{
    Attachment, DetailedMessage, MAX_LIMIT, Message, Reaction, Request,
};
use verdict_store::{Change, Engine, Step, Table};

macro_rules! script {
    ($name:literal) => {
        Step::Script(
            Engine::Postgres,
            include_str!(concat!("../migrations/message-history/", $name)),
        )
    };
}

/// The indexes, the columns, what keeps them, and then what they hold. Each step is a transaction
/// of its own, so that none waits for one table while it holds another.
pub const CHANGE: Change = Change::steps(
    &[
        script!("up.sql"),
        script!("flags.up.sql"),
        script!("reactions.up.sql"),
        script!("attachments.up.sql"),
        script!("count.up.sql"),
        script!("counting.up.sql"),
        Step::Alone(include_str!("../migrations/message-history/backfill.sql")),
    ],
    &[
        script!("counting.down.sql"),
        script!("count.down.sql"),
        script!("attachments.down.sql"),
        script!("reactions.down.sql"),
        script!("flags.down.sql"),
        script!("down.sql"),
    ],
    &[
        Table::postgres("messages"),
        Table::postgres("message_reactions"),
        Table::postgres("message_attachments"),
        Table::postgres("conversations"),
    ],
);

/// A page's rows; `$before` is how many rows stand before it, and `$begin` where it begins.
macro_rules! page {
    ($before:literal, $filter:literal, $begin:literal) => {
        concat!(
            "
SELECT
    id,
    sender_id,
    ",
            $before,
            " AS sequence_number,
    created_at,
    recalled_at,
    updated_at,
    version_number,
    content,
    content_encrypted,
    content_nonce,
    message_type,
    CASE WHEN has_reactions THEN ARRAY(
        SELECT ROW(emoji, COUNT(*), BOOL_OR(user_id = $2))
        FROM message_reactions
        WHERE message_id = messages.id
        GROUP BY emoji
    ) END AS reactions,
    CASE WHEN has_attachments THEN ARRAY(
        SELECT ROW(id, file_name, file_type, file_size, s3_key)
        FROM message_attachments
        WHERE message_id = messages.id
    ) END AS attachments
FROM messages
WHERE conversation_id = $1
  AND deleted_at IS NULL",
            $filter,
            $begin,
            "
ORDER BY created_at, id
LIMIT $3"
        )
    };
}

/// The first page.
macro_rules! first {
    ($filter:literal) => {
        page!("0::bigint", $filter, "")
    };
}

/// Any other: its first row, counted from the start of the conversation or from the end.
macro_rules! later {
    ($filter:literal, $hidden:literal) => {
        concat!(
            "
WITH counted AS MATERIALIZED (
    SELECT message_count - (
        SELECT COUNT(*)
        FROM messages
        WHERE conversation_id = $1
          AND ",
            $hidden,
            "
    ) AS rows
    FROM conversations
    WHERE id = $1
),
shown AS (
    SELECT rows, 2 * $4 < rows AS from_start
    FROM counted
),
begin AS (
    (
        SELECT created_at, id
        FROM messages
        WHERE conversation_id = $1
          AND deleted_at IS NULL",
            $filter,
            "
        ORDER BY created_at, id
        LIMIT CASE WHEN (SELECT from_start FROM shown) THEN 1 ELSE 0 END
        OFFSET $4
    )
    UNION ALL
    (
        SELECT created_at, id
        FROM messages
        WHERE conversation_id = $1
          AND deleted_at IS NULL",
            $filter,
            "
        ORDER BY created_at DESC, id DESC
        LIMIT CASE
            WHEN (SELECT from_start FROM shown) THEN 0
            WHEN (SELECT rows FROM shown) > $4 THEN 1
            ELSE 0
        END
        OFFSET GREATEST((SELECT rows FROM shown) - $4 - 1, 0)
    )
)",
            page!(
                "$4",
                $filter,
                "
  AND (created_at, id) >= (SELECT created_at, id FROM begin)"
            )
        )
    };
}

const FIRST: &str = first!("");
const FIRST_WITHOUT_RECALLED: &str = first!("\n  AND recalled_at IS NULL");
const LATER: &str = later!("", "deleted_at IS NOT NULL");
const LATER_WITHOUT_RECALLED: &str = later!(
    "\n  AND recalled_at IS NULL",
    "(deleted_at IS NOT NULL OR recalled_at IS NOT NULL)"
);

/// A row as it arrives, numbered by the rows before its page. Arrays of rows rather than JSON:
/// they travel in binary and keep their types.
#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    message: Message,
    reactions: Option<Vec<ReactionRow>>,
    attachments: Option<Vec<AttachmentRow>>,
}

type ReactionRow = (String, i64, bool);
type AttachmentRow = (Uuid, String, String, i32, String);

impl Row {
    /// The message at a place of the page, from 1.
    fn at(self, place: i64) -> DetailedMessage {
        let reactions = self.reactions.into_iter().flatten();
        let attachments = self.attachments.into_iter().flatten();
        DetailedMessage {
            message: Message {
                sequence_number: self.message.sequence_number + place,
                ..self.message
            },
            reactions: reactions
                .map(|(emoji, count, user_reacted)| Reaction {
                    emoji,
                    count,
                    user_reacted,
                })
                .collect(),
            attachments: attachments
                .map(|(id, file_name, file_type, file_size, s3_key)| Attachment {
                    id,
                    file_name,
                    file_type,
                    file_size,
                    s3_key,
                })
                .collect(),
        }
    }
}

/// A page of history with reactions and attachments, in one round trip.
pub async fn history(
    database: impl PgExecutor<'_>,
    request: &Request,
) -> Result<Vec<DetailedMessage>> {
    let statement = match (request.offset, request.include_recalled) {
        (0, true) => FIRST,
        (0, false) => FIRST_WITHOUT_RECALLED,
        (_, true) => LATER,
        (_, false) => LATER_WITHOUT_RECALLED,
    };
    let mut query = sqlx::query_as(statement)
        .bind(request.conversation)
        .bind(request.viewer)
        .bind(request.limit.min(MAX_LIMIT));
    if request.offset != 0 {
        query = query.bind(request.offset);
    }
    let rows: Vec<Row> = query.fetch_all(database).await?;
    Ok((1..).zip(rows).map(|(place, row)| row.at(place)).collect())
}
