-- Today's two questions of the newest versions, renewed as a whole and exchanged at once. The
-- world's clock stands in the place of now(), and a year in the place of five minutes: when a
-- refresh is due, the trial says.
CREATE MATERIALIZED VIEW user_author_90d_fresh
REFRESH EVERY 1 YEAR
ENGINE = MergeTree
ORDER BY (user_id, author_id)
AS
WITH
    acts AS (
        SELECT user_id, post_id, created_at, 1.0 AS weight
        FROM likes_cdc FINAL
        WHERE is_deleted = 0
          AND created_at >= toDateTime('2025-10-29 00:00:00', 'UTC') - INTERVAL 90 DAY
        UNION ALL
        SELECT user_id, post_id, created_at, 2.0 AS weight
        FROM comments_cdc FINAL
        WHERE is_deleted = 0
          AND created_at >= toDateTime('2025-10-29 00:00:00', 'UTC') - INTERVAL 90 DAY
    ),
    posts AS (
        SELECT id, user_id AS author_id
        FROM posts_cdc FINAL
        WHERE is_deleted = 0
    )
SELECT
    acts.user_id AS user_id,
    posts.author_id AS author_id,
    sum(acts.weight) AS interaction_count,
    max(acts.created_at) AS last_interaction
FROM acts
INNER JOIN posts ON posts.id = acts.post_id
GROUP BY user_id, author_id;

CREATE MATERIALIZED VIEW post_metrics_1h_fresh
REFRESH EVERY 1 YEAR
ENGINE = MergeTree
ORDER BY (post_id, metric_hour)
AS
WITH
    acts AS (
        SELECT post_id, created_at, 1 AS likes, 0 AS comments
        FROM likes_cdc FINAL
        WHERE is_deleted = 0
        UNION ALL
        SELECT post_id, created_at, 0 AS likes, 1 AS comments
        FROM comments_cdc FINAL
        WHERE is_deleted = 0
    ),
    hours AS (
        SELECT
            toStartOfHour(created_at) AS metric_hour,
            post_id,
            toInt64(sum(likes)) AS likes_count,
            toInt64(sum(comments)) AS comments_count
        FROM acts
        GROUP BY metric_hour, post_id
    ),
    posts AS (
        SELECT id, user_id AS author_id, is_deleted
        FROM posts_cdc FINAL
    )
SELECT
    hours.metric_hour AS metric_hour,
    hours.post_id AS post_id,
    posts.author_id AS author_id,
    hours.likes_count AS likes_count,
    hours.comments_count AS comments_count
FROM hours
LEFT JOIN posts ON posts.id = hours.post_id
WHERE posts.is_deleted = 0;
