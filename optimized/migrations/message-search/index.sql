CREATE INDEX CONCURRENTLY idx_messages_search
ON messages USING gin (conversation_id, message_vector(content))
WITH (fastupdate = off)
WHERE deleted_at IS NULL
