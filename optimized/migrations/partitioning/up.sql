CREATE TABLE post_events_parted (
    event_time DateTime DEFAULT now(),
    event_type String,
    user_id    String,
    post_id    String DEFAULT ''
) ENGINE = MergeTree
PARTITION BY toYYYYMM(event_time, 'UTC')
ORDER BY (event_time, event_type);

INSERT INTO post_events_parted SELECT * FROM post_events;

EXCHANGE TABLES post_events AND post_events_parted;

DROP TABLE post_events_parted SYNC;

CREATE TABLE posts_parted (
    id            String,
    user_id       String,
    content       String,
    media_url     Nullable(String),
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0,
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(cdc_timestamp)
PARTITION BY toYYYYMM(created_at, 'UTC')
ORDER BY (created_at, id)
SETTINGS index_granularity = 256;

INSERT INTO posts_parted SELECT * FROM posts_cdc;

EXCHANGE TABLES posts_cdc AND posts_parted;

DROP TABLE posts_parted SYNC;

CREATE TABLE likes_parted (
    user_id       String,
    post_id       String,
    created_at    DateTime,
    cdc_timestamp UInt64,
    is_deleted    UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(cdc_timestamp)
PARTITION BY toYYYYMM(created_at, 'UTC')
ORDER BY (user_id, post_id, created_at);

INSERT INTO likes_parted SELECT * FROM likes_cdc;

EXCHANGE TABLES likes_cdc AND likes_parted;

DROP TABLE likes_parted SYNC;
