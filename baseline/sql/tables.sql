-- Today's PostgreSQL tables. Keys, indexes, foreign keys and triggers follow in
-- files of their own, so that a world is loaded into bare tables and indexed once.

CREATE TABLE users (
    id             uuid        NOT NULL,
    username       varchar(50) NOT NULL,
    email          varchar(255) NOT NULL,
    password_hash  text        NOT NULL,
    email_verified boolean     NOT NULL DEFAULT false,
    is_active      boolean     NOT NULL DEFAULT true,
    follower_count integer     NOT NULL DEFAULT 0 CHECK (follower_count >= 0),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz
);

CREATE TABLE conversations (
    id                uuid        NOT NULL,
    conversation_type text        NOT NULL CHECK (conversation_type IN ('direct', 'group')),
    name              text,
    created_by        uuid        NOT NULL,
    privacy_mode      text        NOT NULL DEFAULT 'search_enabled'
                                  CHECK (privacy_mode IN ('search_enabled', 'strict_e2e')),
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT conversations_group_has_name CHECK (conversation_type <> 'group' OR name IS NOT NULL)
);

CREATE TABLE conversation_members (
    id                   uuid        NOT NULL,
    conversation_id      uuid        NOT NULL,
    user_id              uuid        NOT NULL,
    role                 text        NOT NULL DEFAULT 'member'
                                     CHECK (role IN ('owner', 'admin', 'member')),
    joined_at            timestamptz NOT NULL DEFAULT now(),
    last_read_message_id uuid,
    last_read_at         timestamptz,
    is_muted             boolean     NOT NULL DEFAULT false,
    is_archived          boolean     NOT NULL DEFAULT false,
    created_at           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE messages (
    id                uuid        NOT NULL,
    conversation_id   uuid        NOT NULL,
    sender_id         uuid        NOT NULL,
    content           text,
    content_encrypted bytea,
    content_nonce     bytea,
    message_type      text        NOT NULL DEFAULT 'text'
                                  CHECK (message_type IN ('text', 'system', 'image', 'audio')),
    version_number    integer     NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    edited_at         timestamptz,
    recalled_at       timestamptz,
    deleted_at        timestamptz,
    idempotency_key   uuid
);

CREATE TABLE message_reactions (
    id         uuid        NOT NULL,
    message_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    emoji      varchar(20) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE message_attachments (
    id         uuid        NOT NULL,
    message_id uuid        NOT NULL,
    file_name  text        NOT NULL,
    file_type  text        NOT NULL,
    file_size  integer     NOT NULL,
    s3_key     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Nothing writes this table today: it is stale by definition.
CREATE TABLE message_search_index (
    message_id      uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    sender_id       uuid        NOT NULL,
    search_text     text,
    tsv             tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(search_text, ''))) STORED,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE posts (
    id           uuid          NOT NULL,
    user_id      uuid          NOT NULL,
    caption      varchar(2200),
    image_key    text          NOT NULL,
    image_sizes  jsonb,
    status       text          NOT NULL DEFAULT 'pending'
                               CHECK (status IN ('pending', 'processing', 'published', 'failed')),
    content_type text          NOT NULL DEFAULT 'image'
                               CHECK (content_type IN ('image', 'video', 'mixed')),
    created_at   timestamptz   NOT NULL DEFAULT now(),
    updated_at   timestamptz   NOT NULL DEFAULT now(),
    soft_delete  timestamptz
);

-- (post_id, size_variant) is not unique today.
CREATE TABLE post_images (
    id           uuid        NOT NULL,
    post_id      uuid        NOT NULL,
    s3_key       text        NOT NULL,
    status       text        NOT NULL DEFAULT 'pending'
                             CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    size_variant text        NOT NULL
                             CHECK (size_variant IN ('original', 'medium', 'thumbnail')),
    url          text,
    width        integer,
    height       integer,
    file_size    integer,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE post_metadata (
    post_id       uuid        NOT NULL,
    like_count    integer     NOT NULL DEFAULT 0 CHECK (like_count >= 0),
    comment_count integer     NOT NULL DEFAULT 0 CHECK (comment_count >= 0),
    view_count    integer     NOT NULL DEFAULT 0 CHECK (view_count >= 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE follows (
    id           uuid        NOT NULL,
    follower_id  uuid        NOT NULL,
    following_id uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT follows_not_self CHECK (follower_id <> following_id)
);

CREATE TABLE likes (
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    post_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE comments (
    id                uuid        NOT NULL,
    post_id           uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    parent_comment_id uuid,
    content           text        NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    soft_delete       timestamptz
);
