-- A reader's candidates lie together, in granules so small that reading them reads little else.
-- The tables are replaced whole, so nothing has to be replaced row by row.

CREATE TABLE feed_candidates_followees (
    user_id          String,
    post_id          String,
    author_id        String,
    likes            UInt32,
    comments         UInt32,
    shares           UInt32,
    impressions      UInt32,
    freshness_score  Float64,
    engagement_score Float64,
    affinity_score   Float64,
    combined_score   Float64,
    created_at       DateTime,
    updated_at       DateTime
) ENGINE = MergeTree
ORDER BY (user_id, combined_score, post_id)
SETTINGS index_granularity = 256;

CREATE TABLE feed_candidates_trending (
    post_id          String,
    author_id        String,
    likes            UInt32,
    comments         UInt32,
    shares           UInt32,
    impressions      UInt32,
    freshness_score  Float64,
    engagement_score Float64,
    affinity_score   Float64,
    combined_score   Float64,
    created_at       DateTime,
    updated_at       DateTime
) ENGINE = MergeTree
ORDER BY (combined_score, post_id)
SETTINGS index_granularity = 256;

CREATE TABLE feed_candidates_affinity (
    user_id          String,
    post_id          String,
    author_id        String,
    likes            UInt32,
    comments         UInt32,
    shares           UInt32,
    impressions      UInt32,
    freshness_score  Float64,
    engagement_score Float64,
    affinity_score   Float64,
    combined_score   Float64,
    created_at       DateTime,
    updated_at       DateTime
) ENGINE = MergeTree
ORDER BY (user_id, combined_score, post_id)
SETTINGS index_granularity = 256;
