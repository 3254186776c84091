CREATE INDEX IF NOT EXISTS idx_messages_conversation_visible
ON messages (conversation_id, created_at DESC)
WHERE recalled_at IS NULL AND deleted_at IS NULL;

DROP INDEX IF EXISTS idx_messages_conversation_hidden;
DROP INDEX IF EXISTS idx_messages_conversation_page;
