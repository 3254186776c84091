-- The versions of likes and comments by who did it and by post, and of posts by id: each ordered
-- for its question, in small granules and small blocks, and without what nobody asks for.
CREATE TABLE posts_by_id (
    id            String,
    author_id     String,
    cdc_timestamp UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY id
SETTINGS index_granularity = 128, min_compress_block_size = 4096, max_compress_block_size = 65536;

-- Posts of which a deletion was ever told: few, so that only these are looked up by id.
CREATE TABLE posts_gone (
    id String
) ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, min_compress_block_size = 4096, max_compress_block_size = 65536;

-- author_id is empty where the post was not known yet when its like or comment came.
CREATE TABLE engagement_by_user (
    user_id       String,
    created_at    DateTime,
    kind          Enum8('like' = 1, 'comment' = 2),
    post_id       String,
    comment_id    String,
    author_id     String,
    cdc_timestamp UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY (user_id, created_at, kind, post_id, comment_id)
SETTINGS index_granularity = 512, min_compress_block_size = 4096, max_compress_block_size = 65536;

CREATE TABLE engagement_by_post (
    post_id       String,
    created_at    DateTime,
    kind          Enum8('like' = 1, 'comment' = 2),
    user_id       String,
    comment_id    String,
    cdc_timestamp UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(cdc_timestamp)
ORDER BY (post_id, created_at, kind, user_id, comment_id)
SETTINGS index_granularity = 512, min_compress_block_size = 4096, max_compress_block_size = 65536;

CREATE MATERIALIZED VIEW posts_to_id TO posts_by_id AS
SELECT id, user_id AS author_id, cdc_timestamp, is_deleted
FROM posts_cdc;

CREATE MATERIALIZED VIEW posts_to_gone TO posts_gone AS
SELECT id
FROM posts_cdc
WHERE is_deleted = 1;

CREATE MATERIALIZED VIEW likes_to_post TO engagement_by_post AS
SELECT post_id, created_at, 'like' AS kind, user_id, '' AS comment_id, cdc_timestamp, is_deleted
FROM likes_cdc;

CREATE MATERIALIZED VIEW comments_to_post TO engagement_by_post AS
SELECT post_id, created_at, 'comment' AS kind, user_id, id AS comment_id, cdc_timestamp, is_deleted
FROM comments_cdc;

-- In a view its source is the rows that are being inserted, also where it is named once more.
CREATE MATERIALIZED VIEW likes_to_user TO engagement_by_user AS
SELECT
    likes.user_id AS user_id,
    likes.created_at AS created_at,
    'like' AS kind,
    likes.post_id AS post_id,
    '' AS comment_id,
    posts.author_id AS author_id,
    likes.cdc_timestamp AS cdc_timestamp,
    likes.is_deleted AS is_deleted
FROM likes_cdc AS likes
LEFT ANY JOIN (
    SELECT id, author_id
    FROM posts_by_id
    WHERE id IN (SELECT post_id FROM likes_cdc)
) AS posts ON posts.id = likes.post_id;

CREATE MATERIALIZED VIEW comments_to_user TO engagement_by_user AS
SELECT
    comments.user_id AS user_id,
    comments.created_at AS created_at,
    'comment' AS kind,
    comments.post_id AS post_id,
    comments.id AS comment_id,
    posts.author_id AS author_id,
    comments.cdc_timestamp AS cdc_timestamp,
    comments.is_deleted AS is_deleted
FROM comments_cdc AS comments
LEFT ANY JOIN (
    SELECT id, author_id
    FROM posts_by_id
    WHERE id IN (SELECT post_id FROM comments_cdc)
) AS posts ON posts.id = comments.post_id;
