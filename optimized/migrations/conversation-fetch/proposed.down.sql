DROP TRIGGER update_last_message ON messages;
DROP FUNCTION update_conversation_last_message();

DROP TRIGGER update_member_count_on_remove ON conversation_members;
DROP TRIGGER update_member_count_on_add ON conversation_members;
DROP FUNCTION update_conversation_member_count();

ALTER TABLE conversations
DROP COLUMN member_count,
DROP COLUMN last_message_id,
DROP COLUMN last_message_at;
