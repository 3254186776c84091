//! What the job computes, as statements. In braces stand the clock, the run's id, and what tells
//! one source from another.

use verdict_baseline::feed_tables::Source;

/// Published or not, every post whose row is there, with what was done with it.
pub(super) const POSTS: &str = "
CREATE TABLE feed_posts__{run} (
    author_id  String,
    post_id    String,
    created_at DateTime,
    likes      UInt32,
    comments   UInt32,
    freshness  Float64,
    engagement Float64
) ENGINE = MergeTree
ORDER BY author_id";

pub(super) const FILL_POSTS: &str = "
INSERT INTO feed_posts__{run}
SELECT
    posts.user_id,
    posts.id,
    posts.created_at,
    liked.likes,
    commented.comments,
    exp(-0.0025 * (toUnixTimestamp({clock}) - toUnixTimestamp(posts.created_at)) / 60),
    log(1 + liked.likes + 2 * commented.comments)
FROM (
    SELECT id, user_id, created_at
    FROM posts_cdc FINAL
    WHERE is_deleted = 0
      AND created_at >= {clock} - INTERVAL 30 DAY
      AND created_at < {clock}
) AS posts
LEFT JOIN (
    SELECT post_id, count() AS likes
    FROM likes_cdc FINAL
    WHERE is_deleted = 0
      AND created_at >= {clock} - INTERVAL 30 DAY
      AND created_at < {clock}
    GROUP BY post_id
) AS liked ON liked.post_id = posts.id
LEFT JOIN (
    SELECT post_id, count() AS comments
    FROM comments_cdc FINAL
    WHERE is_deleted = 0
      AND created_at >= {clock} - INTERVAL 30 DAY
      AND created_at < {clock}
    GROUP BY post_id
) AS commented ON commented.post_id = posts.id";

/// A reader and an author: whether the one follows the other, and their affinity.
pub(super) const EDGES: &str = "
CREATE TABLE feed_edges__{run} (
    user_id   String,
    author_id String,
    affinity  Float64,
    follows   UInt8
) ENGINE = MergeTree
ORDER BY (user_id, author_id)";

pub(super) const FILL_EDGES: &str = "
INSERT INTO feed_edges__{run}
SELECT user_id, author_id, sum(affinity), max(follows)
FROM (
    SELECT follower_id AS user_id, followee_id AS author_id, 0.0 AS affinity, 1 AS follows
    FROM follows_cdc FINAL
    WHERE is_deleted = 0
    UNION ALL
    SELECT done.user_id, posts.author_id, done.weight AS affinity, 0 AS follows
    FROM (
        SELECT user_id, post_id, 1.0 AS weight
        FROM likes_cdc FINAL
        WHERE is_deleted = 0
          AND created_at >= {clock} - INTERVAL 90 DAY
          AND created_at < {clock}
        UNION ALL
        SELECT user_id, post_id, 1.5 AS weight
        FROM comments_cdc FINAL
        WHERE is_deleted = 0
          AND created_at >= {clock} - INTERVAL 90 DAY
          AND created_at < {clock}
    ) AS done
    INNER JOIN (
        SELECT id, user_id AS author_id
        FROM posts_cdc FINAL
        WHERE is_deleted = 0
    ) AS posts ON posts.id = done.post_id
)
GROUP BY user_id, author_id";

const FILL_TRENDING: &str = "
INSERT INTO {table} (
    post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at, updated_at
)
SELECT
    post_id,
    author_id,
    likes,
    comments,
    0,
    5 * likes + 10 * comments + 10,
    freshness,
    engagement,
    0,
    0.5 * freshness + 0.5 * engagement AS combined,
    created_at,
    {clock}
FROM feed_posts__{run}
WHERE created_at >= {clock} - INTERVAL 14 DAY
ORDER BY combined DESC, post_id
LIMIT 1000";

/// What tells a source of one's own from the other.
struct Personal {
    edges: &'static str,
    freshness: &'static str,
    engagement: &'static str,
    affinity: &'static str,
    kept: &'static str,
}

const FOLLOWEES: Personal = Personal {
    edges: "follows = 1",
    freshness: "0.35",
    engagement: "0.4",
    affinity: "0.25",
    kept: "500",
};

const AFFINITY: Personal = Personal {
    edges: "affinity > 0",
    freshness: "0.2",
    engagement: "0.4",
    affinity: "0.4",
    kept: "300",
};

/// What fills a source's table.
pub(super) fn fill(source: Source) -> String {
    match source {
        Source::Trending => FILL_TRENDING.to_owned(),
        Source::Followees => personal(&FOLLOWEES),
        Source::Affinity => personal(&AFFINITY),
    }
}

fn personal(of: &Personal) -> String {
    FILL_PERSONAL
        .replace("{edges}", of.edges)
        .replace("{F}", of.freshness)
        .replace("{E}", of.engagement)
        .replace("{A}", of.affinity)
        .replace("{kept}", of.kept)
}

/// An author's posts are in one order for every reader, as affinity moves them all alike. So
/// each reader needs the first few of each author: those that reach the reader's least score.
const FILL_PERSONAL: &str = "
INSERT INTO {table} (
    user_id, post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at, updated_at
)
WITH
    ranked AS (
        SELECT
            *,
            {F} * freshness + {E} * engagement AS score,
            row_number() OVER (PARTITION BY author_id ORDER BY score DESC, post_id) AS place
        FROM feed_posts__{run}
        QUALIFY place <= {kept}
    ),
    known AS (
        SELECT edges.user_id, edges.author_id, edges.affinity, authors.scores
        FROM feed_edges__{run} AS edges
        INNER JOIN (
            SELECT author_id, arrayReverseSort(groupArray(score)) AS scores
            FROM ranked
            GROUP BY author_id
        ) AS authors ON authors.author_id = edges.author_id
        WHERE {edges}
    ),
    bounds AS (
        SELECT
            user_id,
            arrayReverseSort(groupArrayArray(
                arrayMap(score -> score + {A} * affinity, arraySlice(scores, 1, 8))
            ))[{kept}] AS least
        FROM known
        GROUP BY user_id
    ),
    reached AS (
        SELECT
            known.user_id AS user_id,
            known.author_id AS author_id,
            known.affinity AS affinity,
            arrayJoin(arrayEnumerate(
                arrayFilter(score -> score + {A} * affinity >= least, known.scores)
            )) AS place
        FROM known
        INNER JOIN bounds ON bounds.user_id = known.user_id
    )
SELECT
    reached.user_id,
    ranked.post_id,
    ranked.author_id,
    ranked.likes,
    ranked.comments,
    0,
    5 * ranked.likes + 10 * ranked.comments + 10,
    ranked.freshness,
    ranked.engagement,
    reached.affinity,
    ranked.score + {A} * reached.affinity AS combined,
    ranked.created_at,
    {clock}
FROM reached
INNER JOIN ranked ON ranked.author_id = reached.author_id AND ranked.place = reached.place
ORDER BY reached.user_id, combined DESC, ranked.post_id
LIMIT {kept} BY reached.user_id";

/// Tables that are made of the others, where a fix has brought them.
pub(super) const DERIVED: [(&str, &str); 2] = [
    ("feed_candidates", FILL_CANDIDATES),
    ("feed_pages", FILL_PAGES),
];

/// All sources in one table, each candidate with its place in its own; what is trending belongs
/// to the reader of no id.
const FILL_CANDIDATES: &str = "
INSERT INTO {table}
SELECT
    toUUID(user_id),
    source,
    row_number() OVER (PARTITION BY user_id, source ORDER BY combined_score DESC, post_id) - 1,
    toUUID(post_id),
    toUUID(author_id),
    likes,
    comments,
    shares,
    impressions,
    freshness_score,
    engagement_score,
    affinity_score,
    combined_score,
    created_at
FROM (
    SELECT 'followees' AS source, *
    FROM feed_candidates_followees__{run}
    UNION ALL
    SELECT 'trending' AS source, '00000000-0000-0000-0000-000000000000' AS user_id, *
    FROM feed_candidates_trending__{run}
    UNION ALL
    SELECT 'affinity' AS source, *
    FROM feed_candidates_affinity__{run}
)";

/// Of each reader's feed the posts of its first pages, as a request of 20 has them ranked: from
/// the first hundred candidates of each source, of two equal scores the first, each post once.
const FILL_PAGES: &str = "
INSERT INTO {table}
WITH
    best AS (
        SELECT
            user_id,
            (
                -(0.3 * freshness_score + 0.4 * engagement_score + 0.3 * affinity_score),
                source,
                place,
                post_id
            ) AS candidate
        FROM feed_candidates__{run}
        WHERE place < 100
    ),
    readers AS (
        SELECT DISTINCT user_id
        FROM best
        WHERE user_id != '00000000-0000-0000-0000-000000000000'
    )
SELECT
    user_id,
    arraySlice(arrayDistinct(arrayMap(x -> x.4, arraySort(groupArray(candidate)))), 1, 100)
FROM (
    SELECT user_id, candidate
    FROM best
    UNION ALL
    SELECT readers.user_id, trending.candidate
    FROM readers
    CROSS JOIN (
        SELECT candidate
        FROM best
        WHERE user_id = '00000000-0000-0000-0000-000000000000'
    ) AS trending
)
GROUP BY user_id";
