CREATE INDEX IF NOT EXISTS idx_posts_user_created
ON posts (user_id, created_at DESC)
WHERE soft_delete IS NULL;

DROP INDEX IF EXISTS idx_posts_user_page;
DROP INDEX IF EXISTS idx_messages_conversation_page;
