//! Item 11 fixed: one index of the five, and four of today's less, all made and dropped while
//! everybody goes on.
//!
//! The index on members answers a list of conversations alone; the one on the user is a prefix of
//! it and goes. Nothing reads conversations by their time, and without that index the version that
//! every message makes of its conversation's row is one that no index hears of. The idempotency key
//! is indexed twice, once as unique; and a message's id with its version serves nothing that its
//! primary key does not.

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
