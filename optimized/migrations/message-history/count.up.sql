-- Messages of a conversation, deleted and recalled ones included.
ALTER TABLE conversations
ADD COLUMN message_count bigint NOT NULL DEFAULT 0;
