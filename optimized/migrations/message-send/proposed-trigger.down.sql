DROP TRIGGER set_message_sequence ON messages;
DROP FUNCTION increment_message_sequence();

ALTER TABLE conversations
DROP COLUMN last_sequence_number;
