//! Item 14: a table of messages for each month, the best that was found, and not made: today is
//! kept.
//!
//! TODO figures

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
    Ok(retired.unsigned_abs())
}
