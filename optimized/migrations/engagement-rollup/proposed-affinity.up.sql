-- The audit's first view, with the world's clock where it writes now().
DROP VIEW IF EXISTS user_author_90d;

CREATE MATERIALIZED VIEW user_author_90d_mv
ENGINE = AggregatingMergeTree()
ORDER BY (user_id, author_id)
POPULATE AS
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
