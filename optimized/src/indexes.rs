//! Item 11 fixed: the one index of the five that a read gains from and no other fix brings, built
//! while everybody goes on. It is sorted as the read wants it and answers alone, so that the
//! index on the user, a prefix of it, goes.
//!
//! Left out: posts by status, which the order by time already serves, as nearly all are published;
//! messages by time and id, which item 7 brings; conversations by time, which nothing reads in
//! that order and which needs columns that item 9 brings; counters by post, which repeats the
//! primary key and makes every like write one more entry.

use verdict_store::{Change, Step, Table};

/// The index on members.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_conversation_members_of_user
            ON conversation_members (user_id, conversation_id)
            INCLUDE (is_archived)",
        ),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_conversation_members_user"),
    ],
    &[
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_conversation_members_user
            ON conversation_members (user_id)",
        ),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_conversation_members_of_user"),
    ],
    &[Table::postgres("conversation_members")],
);
