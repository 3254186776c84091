-- Pages of a conversation in a total order, from the index alone up to the page's first row.
-- It serves both kinds of history (recalled shown or not), so the partial index that served
-- one of them goes.
CREATE INDEX IF NOT EXISTS idx_messages_conversation_page
ON messages (conversation_id, created_at, id)
INCLUDE (recalled_at)
WHERE deleted_at IS NULL;

DROP INDEX IF EXISTS idx_messages_conversation_visible;

-- The few messages that a history leaves out: with the count of all it says how many it shows.
CREATE INDEX idx_messages_conversation_hidden
ON messages (conversation_id, deleted_at)
WHERE deleted_at IS NOT NULL OR recalled_at IS NOT NULL;
