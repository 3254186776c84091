-- All sources in one table, each candidate at its place: a request for the first of each is one
-- read of a few short ranges, without sorting.

CREATE TABLE feed_candidates (
    user_id          UUID,
    source           Enum8('followees' = 1, 'trending' = 2, 'affinity' = 3),
    place            UInt16,
    post_id          UUID,
    author_id        UUID,
    likes            UInt32,
    comments         UInt32,
    shares           UInt32,
    impressions      UInt32,
    freshness_score  Float64,
    engagement_score Float64,
    affinity_score   Float64,
    combined_score   Float64,
    created_at       DateTime
) ENGINE = MergeTree
ORDER BY (user_id, source, place)
SETTINGS index_granularity = 128;

-- The first posts of every reader's feed in the order in which they are shown, so that a page is
-- one row. Whoever has no row has that of the reader of no id: what is trending.
CREATE TABLE feed_pages (
    user_id UUID,
    posts   Array(UUID)
) ENGINE = MergeTree
ORDER BY user_id
SETTINGS index_granularity = 8;
