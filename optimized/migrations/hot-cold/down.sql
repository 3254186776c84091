LOCK TABLE messages, conversations, users, message_reactions, message_attachments, message_search_index
IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE messages_whole (LIKE messages INCLUDING DEFAULTS INCLUDING CONSTRAINTS);

INSERT INTO messages_whole
SELECT *
FROM messages;

CREATE UNIQUE INDEX messages_whole_pkey ON messages_whole (id);
CREATE UNIQUE INDEX idx_whole_idempotency ON messages_whole (idempotency_key);
CREATE INDEX idx_whole_conversation_created ON messages_whole (conversation_id, created_at DESC);
CREATE INDEX idx_whole_conversation_visible ON messages_whole (conversation_id, created_at DESC)
    WHERE recalled_at IS NULL AND deleted_at IS NULL;
CREATE INDEX idx_whole_created_at ON messages_whole (created_at DESC);
CREATE INDEX idx_whole_sender ON messages_whole (sender_id);
CREATE INDEX idx_whole_version ON messages_whole (id, version_number);
CREATE INDEX idx_whole_recalled_at ON messages_whole (recalled_at) WHERE recalled_at IS NOT NULL;
CREATE INDEX idx_whole_edited_at ON messages_whole (edited_at) WHERE edited_at IS NOT NULL;
CREATE INDEX idx_whole_idempotency_key ON messages_whole (idempotency_key)
    WHERE idempotency_key IS NOT NULL;

ALTER TABLE messages_whole
ADD CONSTRAINT messages_conversation_id_fkey
    FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
ADD CONSTRAINT messages_sender_id_fkey
    FOREIGN KEY (sender_id) REFERENCES users (id);

CREATE TRIGGER messages_touch_conversation
AFTER INSERT ON messages_whole
FOR EACH ROW EXECUTE FUNCTION touch_conversation();

LOCK TABLE messages IN ACCESS EXCLUSIVE MODE;

ALTER TABLE message_reactions DROP CONSTRAINT message_reactions_message_id_fkey;
ALTER TABLE message_attachments DROP CONSTRAINT message_attachments_message_id_fkey;
ALTER TABLE message_search_index DROP CONSTRAINT message_search_index_message_id_fkey;

DROP TABLE messages;
DROP TABLE message_keys;
DROP FUNCTION note_message();
DROP FUNCTION forget_messages();
DROP FUNCTION retire_messages(timestamptz);

ALTER TABLE messages_whole RENAME TO messages;
ALTER TABLE messages ADD CONSTRAINT messages_pkey PRIMARY KEY USING INDEX messages_whole_pkey;
ALTER INDEX idx_whole_idempotency RENAME TO idx_messages_idempotency;
ALTER INDEX idx_whole_conversation_created RENAME TO idx_messages_conversation_created;
ALTER INDEX idx_whole_conversation_visible RENAME TO idx_messages_conversation_visible;
ALTER INDEX idx_whole_created_at RENAME TO idx_messages_created_at;
ALTER INDEX idx_whole_sender RENAME TO idx_messages_sender;
ALTER INDEX idx_whole_version RENAME TO idx_messages_version;
ALTER INDEX idx_whole_recalled_at RENAME TO idx_messages_recalled_at;
ALTER INDEX idx_whole_edited_at RENAME TO idx_messages_edited_at;
ALTER INDEX idx_whole_idempotency_key RENAME TO idx_messages_idempotency_key;

ALTER TABLE message_reactions
ADD CONSTRAINT message_reactions_message_id_fkey
    FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE message_attachments
ADD CONSTRAINT message_attachments_message_id_fkey
    FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE message_search_index
ADD CONSTRAINT message_search_index_message_id_fkey
    FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE NOT VALID;
