CREATE TRIGGER messages_touch_conversation
AFTER INSERT ON messages
FOR EACH ROW EXECUTE FUNCTION touch_conversation();

ALTER TABLE conversations
DROP COLUMN last_sequence_number;
