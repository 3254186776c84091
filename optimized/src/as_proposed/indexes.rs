//! The audit's fixes for item 11: five indexes, each by itself and built as it is written, while
//! nobody writes.

use verdict_store::{Change, Engine, Step, Table};

macro_rules! create {
    ($name:literal, $what:literal) => {
        Step::Script(
            Engine::Postgres,
            concat!("CREATE INDEX ", $name, "\nON ", $what),
        )
    };
}

macro_rules! index {
    ($table:literal, $name:literal, $what:literal) => {
        Change::steps(
            &[create!($name, $what)],
            &[Step::Script(
                Engine::Postgres,
                concat!("DROP INDEX ", $name),
            )],
            &[Table::postgres($table)],
        )
    };
}

/// Members by user and conversation.
pub const MEMBERS: Change = index!(
    "conversation_members",
    "idx_conversation_members_user_updated",
    "conversation_members (user_id, conversation_id)\nINCLUDE (is_archived)"
);

/// Published posts by user, status and time.
pub const POSTS: Change = index!(
    "posts",
    "idx_posts_user_status_created",
    "posts (user_id, status, created_at DESC)\nWHERE soft_delete IS NULL AND status = 'published'"
);

/// Messages by conversation, time and id.
pub const MESSAGES: Change = index!(
    "messages",
    "idx_messages_conversation_ts_id",
    "messages (conversation_id, created_at DESC, id DESC)\nWHERE deleted_at IS NULL"
);

const UPDATED_MEMBER: Step = create!(
    "idx_conversations_updated_member",
    "conversations (updated_at DESC, id)\nINCLUDE (member_count, last_message_id)"
);

/// Conversations by time, with columns that today does not have.
pub const CONVERSATIONS: Change = Change::steps(
    &[UPDATED_MEMBER],
    &[Step::Script(
        Engine::Postgres,
        "DROP INDEX idx_conversations_updated_member",
    )],
    &[Table::postgres("conversations")],
);

/// The same where item 9 has brought the columns, with nothing in them.
pub const MENDED_CONVERSATIONS: Change = Change::steps(
    &[
        Step::Script(
            Engine::Postgres,
            "ALTER TABLE conversations
            ADD COLUMN member_count int NOT NULL DEFAULT 0,
            ADD COLUMN last_message_id uuid",
        ),
        UPDATED_MEMBER,
    ],
    &[Step::Script(
        Engine::Postgres,
        "ALTER TABLE conversations
        DROP COLUMN member_count,
        DROP COLUMN last_message_id",
    )],
    &[Table::postgres("conversations")],
);

/// Counters by post, with the counters.
pub const METADATA: Change = index!(
    "post_metadata",
    "idx_post_metadata_post_id",
    "post_metadata (post_id)\nINCLUDE (like_count, comment_count, view_count)"
);
