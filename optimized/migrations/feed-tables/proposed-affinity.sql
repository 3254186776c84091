CREATE TABLE feed_candidates_affinity (
    user_id String,
    post_id String,
    author_id String,
    likes UInt32,
    comments UInt32,
    shares UInt32,
    impressions UInt32,
    freshness_score Float64,
    engagement_score Float64,
    affinity_score Float64,
    combined_score Float64,
    created_at DateTime,
    updated_at DateTime DEFAULT now()
) ENGINE = ReplacingMergeTree(updated_at)
PARTITION BY toYYYYMM(created_at)
ORDER BY (user_id, affinity_score, post_id)
SETTINGS index_granularity = 8192
