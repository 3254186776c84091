-- The newest versions of what was there before the views. Those that the views have brought
-- meanwhile make no difference: of equal versions one is kept. Posts come first.
INSERT INTO posts_by_id
SELECT id, user_id, cdc_timestamp, is_deleted
FROM posts_cdc FINAL;

INSERT INTO posts_gone
SELECT id
FROM posts_cdc
WHERE is_deleted = 1;

INSERT INTO engagement_by_post
SELECT post_id, created_at, 'like', user_id, '', cdc_timestamp, is_deleted
FROM likes_cdc FINAL;

INSERT INTO engagement_by_post
SELECT post_id, created_at, 'comment', user_id, id, cdc_timestamp, is_deleted
FROM comments_cdc FINAL;

INSERT INTO engagement_by_user
SELECT
    acts.user_id,
    acts.created_at,
    acts.kind,
    acts.post_id,
    acts.comment_id,
    posts.author_id,
    acts.cdc_timestamp,
    acts.is_deleted
FROM engagement_by_post AS acts
LEFT ANY JOIN posts_by_id AS posts ON posts.id = acts.post_id;

-- Into one part, as merges would in time, so that what is measured is how it will be.
OPTIMIZE TABLE posts_by_id FINAL;
OPTIMIZE TABLE posts_gone FINAL;
OPTIMIZE TABLE engagement_by_post FINAL;
OPTIMIZE TABLE engagement_by_user FINAL;
