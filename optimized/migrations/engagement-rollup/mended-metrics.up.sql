-- The audit's second view with the smallest repair that lets it run: the names of its key columns.
DROP VIEW IF EXISTS post_metrics_1h;

CREATE MATERIALIZED VIEW post_metrics_1h_mv
ENGINE = SummingMergeTree()
PARTITION BY toYYYYMM(metric_hour)
ORDER BY (metric_hour, post_id)
POPULATE AS
WITH
    likes AS (
        SELECT
            toStartOfHour(created_at) AS metric_hour,
            post_id,
            sum(if(is_deleted = 1, -1, 1)) AS likes_count
        FROM likes_cdc
        GROUP BY metric_hour, post_id
    ),
    comments AS (
        SELECT
            toStartOfHour(created_at) AS metric_hour,
            post_id,
            sum(if(is_deleted = 1, -1, 1)) AS comments_count
        FROM comments_cdc
        GROUP BY metric_hour, post_id
    ),
    hours AS (
        SELECT metric_hour, post_id FROM likes
        UNION ALL
        SELECT metric_hour, post_id FROM comments
    ),
    combined AS (
        SELECT metric_hour, post_id
        FROM hours
        GROUP BY metric_hour, post_id
    )
SELECT
    combined.metric_hour AS metric_hour,
    combined.post_id AS post_id,
    posts_latest.author_id,
    greatest(0, ifNull(likes.likes_count, 0)) AS likes_count,
    greatest(0, ifNull(comments.comments_count, 0)) AS comments_count
FROM combined
LEFT JOIN likes
    ON likes.metric_hour = combined.metric_hour AND likes.post_id = combined.post_id
LEFT JOIN comments
    ON comments.metric_hour = combined.metric_hour AND comments.post_id = combined.post_id
LEFT JOIN posts_latest ON posts_latest.id = combined.post_id
WHERE posts_latest.is_deleted = 0;
