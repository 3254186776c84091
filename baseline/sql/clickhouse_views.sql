-- Today's ClickHouse views, one statement each.
--
-- The world's clock stands still, so it is written here where today asks now(). All else is as
-- today, with what is wrong in it: posts_latest takes whichever version comes last, and the
-- other two subtract what was removed, so that a version that arrives twice counts twice and
-- one that replaces another counts beside it until parts are merged.

CREATE VIEW posts_latest AS
SELECT
    id,
    anyLast(user_id) AS author_id,
    anyLast(is_deleted) AS is_deleted
FROM posts_cdc
GROUP BY id;

CREATE VIEW user_author_90d AS
WITH
    like_events AS (
        SELECT
            user_id,
            post_id,
            created_at AS event_time,
            if(is_deleted = 1, -1.0, 1.0) AS weight
        FROM likes_cdc
        WHERE created_at >= toDateTime('2025-10-29 00:00:00', 'UTC') - INTERVAL 90 DAY
    ),
    comment_events AS (
        SELECT
            user_id,
            post_id,
            created_at AS event_time,
            if(is_deleted = 1, -2.0, 2.0) AS weight
        FROM comments_cdc
        WHERE created_at >= toDateTime('2025-10-29 00:00:00', 'UTC') - INTERVAL 90 DAY
    ),
    all_events AS (
        SELECT * FROM like_events
        UNION ALL
        SELECT * FROM comment_events
    )
SELECT
    events.user_id,
    posts_latest.author_id,
    sum(events.weight) AS interaction_count,
    max(events.event_time) AS last_interaction
FROM all_events AS events
INNER JOIN posts_latest ON posts_latest.id = events.post_id
WHERE posts_latest.is_deleted = 0
GROUP BY events.user_id, posts_latest.author_id
HAVING interaction_count > 0;

CREATE VIEW post_metrics_1h AS
WITH
    like_metrics AS (
        SELECT
            toStartOfHour(created_at) AS metric_hour,
            post_id,
            sum(if(is_deleted = 1, -1, 1)) AS likes,
            0 AS comments
        FROM likes_cdc
        GROUP BY metric_hour, post_id
    ),
    comment_metrics AS (
        SELECT
            toStartOfHour(created_at) AS metric_hour,
            post_id,
            0 AS likes,
            sum(if(is_deleted = 1, -1, 1)) AS comments
        FROM comments_cdc
        GROUP BY metric_hour, post_id
    ),
    combined AS (
        SELECT * FROM like_metrics
        UNION ALL
        SELECT * FROM comment_metrics
    )
SELECT
    combined.metric_hour,
    combined.post_id,
    posts_latest.author_id,
    greatest(sum(combined.likes), 0) AS likes_count,
    greatest(sum(combined.comments), 0) AS comments_count
FROM combined
LEFT JOIN posts_latest ON posts_latest.id = combined.post_id
WHERE posts_latest.is_deleted = 0
GROUP BY combined.metric_hour, combined.post_id, posts_latest.author_id;
