//! Item 14: a table of messages for each month, the best that was found, and not made on the optimized
//! side: today is kept.
//!
//! A month is let go of by dropping its table, and a read that says how recent looks into none that is older.
//! The price is what is unique over all months, which no index of theirs can hold: a row for each
//! message in a table that has no months, which reactions, files and the search index refer to in the
//! message's place. It holds the names by which today's service tells that a message was sent before.
//! What has an id alone is looked up in every month, a message's time cannot be put back into another
//! month, and no index can be built on all months while others write, as items 7 and 8 build theirs.
//!
//! Lost, with the pages that 20 recent messages took by hand, of 200 000 of six months (today 14):
//! - months without that table: an id or a key is accepted again in another month, and reactions to
//!   nothing are; with a default month 32, since the order of the months is lost;
//! - today's table whole as the first month, without a copy: what is there already is not divided;
//! - what is old in a table of its own, with a view over both: 14, and foreign keys cannot refer to a
//!   view, nor do triggers of rows fire on it;
//! - an index of what is recent alone: 13, it is made anew each month, and no plan for all parameters
//!   can use it.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use verdict_store::{Change, Engine, Step, Table};

/// The tables of the months with the rows, and the one that keeps what is unique over all of them.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Script(
            Engine::Postgres,
            include_str!("../migrations/hot-cold/up.sql"),
        ),
        VALIDATE,
        Step::Alone("VACUUM (FREEZE, ANALYZE) message_keys"),
    ],
    &[
        Step::Script(
            Engine::Postgres,
            include_str!("../migrations/hot-cold/down.sql"),
        ),
        VALIDATE,
    ],
    &[Table::postgres("messages")],
);

/// What belongs to messages is looked up again, while others read and write.
const VALIDATE: Step = Step::Script(
    Engine::Postgres,
    include_str!("../migrations/hot-cold/validate.sql"),
);

const RETIRE: &str = "
SELECT retire_messages($1)";

/// Lets go of the months before one, with what belongs to their messages; how many those were.
pub async fn retire(executor: impl PgExecutor<'_>, keep_from: DateTime<Utc>) -> sqlx::Result<u64> {
    let retired: i64 = sqlx::query_scalar(RETIRE)
        .bind(keep_from)
        .fetch_one(executor)
        .await?;
    Ok(u64::try_from(retired).unwrap_or_default())
}
