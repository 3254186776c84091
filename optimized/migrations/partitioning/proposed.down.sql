CREATE TABLE posts_cdc_whole (
    id            String,
    user_id       String,
    content       String,
    media_url     Nullable(String),
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY id;

INSERT INTO posts_cdc_whole SELECT * FROM posts_cdc;

EXCHANGE TABLES posts_cdc AND posts_cdc_whole;

DROP TABLE posts_cdc_whole SYNC;

CREATE TABLE follows_cdc_whole (
    follower_id   String,
    followee_id   String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY (follower_id, followee_id);

INSERT INTO follows_cdc_whole SELECT * FROM follows_cdc;

EXCHANGE TABLES follows_cdc AND follows_cdc_whole;

DROP TABLE follows_cdc_whole SYNC;

CREATE TABLE comments_cdc_whole (
    id            String,
    post_id       String,
    user_id       String,
    content       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY id;

INSERT INTO comments_cdc_whole SELECT * FROM comments_cdc;

EXCHANGE TABLES comments_cdc AND comments_cdc_whole;

DROP TABLE comments_cdc_whole SYNC;

CREATE TABLE likes_cdc_whole (
    user_id       String,
    post_id       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY (user_id, post_id, created_at);

INSERT INTO likes_cdc_whole SELECT * FROM likes_cdc;

EXCHANGE TABLES likes_cdc AND likes_cdc_whole;

DROP TABLE likes_cdc_whole SYNC;

CREATE TABLE post_events_whole (
    event_time DateTime DEFAULT now(),
    event_type String,
    user_id    String,
    post_id    String DEFAULT ''
) ENGINE = MergeTree
ORDER BY (event_time, event_type);

INSERT INTO post_events_whole SELECT * FROM post_events;

EXCHANGE TABLES post_events AND post_events_whole;

DROP TABLE post_events_whole SYNC;
