//! The tables a world fills, with the columns it fills them by.

use crate::native::Kind::{self, Flag, MaybeText, Seconds, Text, Version};

/// Where a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    ClickHouse,
}

/// A table to load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) engine: Engine,
    pub(crate) name: &'static str,
    pub(crate) columns: &'static str,
    /// What ClickHouse's columns hold.
    pub(crate) kinds: &'static [Kind],
}

const fn postgres(name: &'static str, columns: &'static str) -> Table {
    Table {
        engine: Engine::Postgres,
        name,
        columns,
        kinds: &[],
    }
}

const fn clickhouse(name: &'static str, columns: &'static str, kinds: &'static [Kind]) -> Table {
    Table {
        engine: Engine::ClickHouse,
        name,
        columns,
        kinds,
    }
}

pub(crate) const USERS: Table = postgres(
    "users",
    "id, username, email, password_hash, email_verified, is_active, follower_count, \
     created_at, updated_at, deleted_at",
);
pub(crate) const FOLLOWS: Table = postgres("follows", "id, follower_id, following_id, created_at");
pub(crate) const CONVERSATIONS: Table = postgres(
    "conversations",
    "id, conversation_type, name, created_by, privacy_mode, created_at, updated_at",
);
pub(crate) const MEMBERS: Table = postgres(
    "conversation_members",
    "id, conversation_id, user_id, role, joined_at, last_read_message_id, last_read_at, \
     is_muted, is_archived, created_at",
);
pub(crate) const MESSAGES: Table = postgres(
    "messages",
    "id, conversation_id, sender_id, content, content_encrypted, content_nonce, \
     message_type, version_number, created_at, updated_at, edited_at, recalled_at, deleted_at, \
     idempotency_key",
);
pub(crate) const REACTIONS: Table = postgres(
    "message_reactions",
    "id, message_id, user_id, emoji, created_at",
);
pub(crate) const ATTACHMENTS: Table = postgres(
    "message_attachments",
    "id, message_id, file_name, file_type, file_size, s3_key, created_at",
);
pub(crate) const POSTS: Table = postgres(
    "posts",
    "id, user_id, caption, image_key, image_sizes, status, content_type, created_at, \
     updated_at, soft_delete",
);
pub(crate) const IMAGES: Table = postgres(
    "post_images",
    "id, post_id, s3_key, status, size_variant, url, width, height, file_size, created_at, \
     updated_at",
);
pub(crate) const METADATA: Table = postgres(
    "post_metadata",
    "post_id, like_count, comment_count, view_count, created_at, updated_at",
);
pub(crate) const LIKES: Table = postgres("likes", "id, user_id, post_id, created_at");
pub(crate) const COMMENTS: Table = postgres(
    "comments",
    "id, post_id, user_id, parent_comment_id, content, created_at, soft_delete",
);

pub(crate) const POSTS_CDC: Table = clickhouse(
    "posts_cdc",
    "id, user_id, content, media_url, created_at, cdc_timestamp, is_deleted",
    &[Text, Text, Text, MaybeText, Seconds, Version, Flag],
);
pub(crate) const FOLLOWS_CDC: Table = clickhouse(
    "follows_cdc",
    "follower_id, followee_id, created_at, cdc_timestamp, is_deleted",
    &[Text, Text, Seconds, Version, Flag],
);
pub(crate) const COMMENTS_CDC: Table = clickhouse(
    "comments_cdc",
    "id, post_id, user_id, content, created_at, cdc_timestamp, is_deleted",
    &[Text, Text, Text, Text, Seconds, Version, Flag],
);
pub(crate) const LIKES_CDC: Table = clickhouse(
    "likes_cdc",
    "user_id, post_id, created_at, cdc_timestamp, is_deleted",
    &[Text, Text, Seconds, Version, Flag],
);
pub(crate) const EVENTS: Table = clickhouse(
    "post_events",
    "event_time, event_type, user_id, post_id",
    &[Seconds, Text, Text, Text],
);
