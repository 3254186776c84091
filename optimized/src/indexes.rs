//! Item 11 fixed: one index of the five, and four of today's less, all made and dropped while
//! everybody goes on.
//!
//! The index on members answers a list of conversations alone: 4 buffers, today 29. The one on the
//! user is a prefix of it and goes. Nothing reads conversations by their time, and without that
//! index the version that every message makes of its conversation's row is one that no index hears
//! of. The idempotency key is indexed twice, once as unique; and a message's id with its version
//! serves nothing that its primary key does not. Together a send takes 915 to 977 bytes of WAL, today
//! 1 309 to 1 322, and 41 buffers, today 49.
//!
//! Lost, in the smallest world, each by itself:
//! - members beside the index on the user, as the audit has it: 4 buffers as well, but 827 bytes of
//!   WAL for a join, today 731, ours 746;
//! - posts by status: 5 buffers as today, where the order by time already serves, and 1 351 bytes
//!   for a post, today 1 255;
//! - messages by time and id: 4.8 buffers for 20 of a range, today 4.6, and 54 for a send, today 49;
//!   cursors want it, and item 7 brings one;
//! - conversations by time: it needs columns that item 9 brings, and with them nothing looks into it;
//! - counters by post: 81 buffers for 20 posts, today 100, but 562 bytes for a like, today 474. It
//!   repeats the primary key, and what is written all the time is looked up in the table anyway.
//!
//! More of today's indexes have no reader here, which the trial lists. They stay: another caller may
//! have a use for them. So may one for the order by conversations' time, but it makes each send
//! dearer.

use verdict_store::{Change, Step, Table};

/// The index that comes, and those that go.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_conversation_members_of_user
            ON conversation_members (user_id, conversation_id)
            INCLUDE (is_archived)",
        ),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_conversation_members_user"),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_conversations_updated_at"),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_messages_idempotency_key"),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_messages_version"),
    ],
    &[
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_version
            ON messages (id, version_number)",
        ),
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_idempotency_key
            ON messages (idempotency_key)
            WHERE idempotency_key IS NOT NULL",
        ),
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_conversations_updated_at
            ON conversations (updated_at DESC)",
        ),
        Step::Alone(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_conversation_members_user
            ON conversation_members (user_id)",
        ),
        Step::Alone("DROP INDEX CONCURRENTLY IF EXISTS idx_conversation_members_of_user"),
    ],
    &[
        Table::postgres("conversation_members"),
        Table::postgres("conversations"),
        Table::postgres("messages"),
    ],
);
