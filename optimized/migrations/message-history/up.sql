-- Pages of a conversation in a total order, from the index alone up to the page's first row.
-- It serves both kinds of history (recalled shown or not), so the partial index that served
-- one of them goes.
CREATE INDEX IF NOT EXISTS idx_messages_conversation_page
ON messages (conversation_id, created_at, id)
INCLUDE (recalled_at)
WHERE deleted_at IS NULL;

DROP INDEX IF EXISTS idx_messages_conversation_visible;
