CREATE TABLE posts_cdc_parted (
    id            String,
    user_id       String,
    content       String,
    media_url     Nullable(String),
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
PARTITION BY toYYYYMM(created_at)
ORDER BY (created_at, id)
SETTINGS index_granularity = 8192;

INSERT INTO posts_cdc_parted SELECT * FROM posts_cdc;

EXCHANGE TABLES posts_cdc AND posts_cdc_parted;

DROP TABLE posts_cdc_parted SYNC;

CREATE TABLE follows_cdc_parted (
    follower_id   String,
    followee_id   String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
PARTITION BY toYYYYMM(created_at)
ORDER BY (created_at, follower_id, followee_id)
SETTINGS index_granularity = 8192;

INSERT INTO follows_cdc_parted SELECT * FROM follows_cdc;

EXCHANGE TABLES follows_cdc AND follows_cdc_parted;

DROP TABLE follows_cdc_parted SYNC;

CREATE TABLE comments_cdc_parted (
    id            String,
    post_id       String,
    user_id       String,
    content       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
PARTITION BY toYYYYMM(created_at)
ORDER BY (created_at, id)
SETTINGS index_granularity = 8192;

INSERT INTO comments_cdc_parted SELECT * FROM comments_cdc;

EXCHANGE TABLES comments_cdc AND comments_cdc_parted;

DROP TABLE comments_cdc_parted SYNC;

CREATE TABLE likes_cdc_parted (
    user_id       String,
    post_id       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
PARTITION BY toYYYYMM(created_at)
ORDER BY (created_at, user_id, post_id)
SETTINGS index_granularity = 8192;

INSERT INTO likes_cdc_parted SELECT * FROM likes_cdc;

EXCHANGE TABLES likes_cdc AND likes_cdc_parted;

DROP TABLE likes_cdc_parted SYNC;

CREATE TABLE post_events_parted (
    event_time DateTime DEFAULT now(),
    event_type String,
    user_id    String,
    post_id    String DEFAULT ''
) ENGINE = MergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (event_time, event_type)
SETTINGS index_granularity = 8192;

INSERT INTO post_events_parted SELECT * FROM post_events;

EXCHANGE TABLES post_events AND post_events_parted;

DROP TABLE post_events_parted SYNC;
