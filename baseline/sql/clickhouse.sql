-- Today's ClickHouse tables, one statement each. The views are in a file of their own.
--
-- The *_cdc tables hold versions of rows, as they arrive: one that says the same again, one
-- that is late, and one with is_deleted = 1 once the row is deleted. A post or a comment that
-- is hidden (soft_delete) is still a row, and stays 0. A like that is taken back and given
-- again is another row of another time.

CREATE TABLE posts_cdc (
    id            String,
    user_id       String,
    content       String,
    media_url     Nullable(String),
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY id;

CREATE TABLE follows_cdc (
    follower_id   String,
    followee_id   String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY (follower_id, followee_id);

CREATE TABLE comments_cdc (
    id            String,
    post_id       String,
    user_id       String,
    content       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY id;

CREATE TABLE likes_cdc (
    user_id       String,
    post_id       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY (user_id, post_id, created_at);

CREATE TABLE post_events (
    event_time DateTime DEFAULT now(),
    event_type String,
    user_id    String,
    post_id    String DEFAULT ''
) ENGINE = MergeTree
ORDER BY (event_time, event_type);
