DROP INDEX idx_messages_content_tsv;

ALTER TABLE messages
DROP COLUMN content_tsv;
