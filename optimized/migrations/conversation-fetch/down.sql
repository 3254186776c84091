DROP TRIGGER conversations_note_last_message ON conversations;

DROP FUNCTION renew_of_moved();
DROP FUNCTION renew_of_changed();
DROP FUNCTION renew_conversations(uuid[]);
DROP FUNCTION note_last_message();

ALTER TABLE conversations
DROP COLUMN member_count,
DROP COLUMN last_message_id;
