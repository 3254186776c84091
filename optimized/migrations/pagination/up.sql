-- Pages in a total order: with the id in the key a cursor is one place in the index, however
-- many rows share a time. The index without the id is a prefix of it, so that one goes.
CREATE INDEX IF NOT EXISTS idx_posts_user_page
ON posts (user_id, created_at DESC, id DESC)
WHERE soft_delete IS NULL;

DROP INDEX IF EXISTS idx_posts_user_created;

CREATE INDEX IF NOT EXISTS idx_messages_conversation_page
ON messages (conversation_id, created_at, id)
INCLUDE (recalled_at)
WHERE deleted_at IS NULL;
