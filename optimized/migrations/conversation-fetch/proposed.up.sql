-- The audit's columns, backfill and triggers as written.
ALTER TABLE conversations
ADD COLUMN member_count int NOT NULL DEFAULT 0,
ADD COLUMN last_message_id uuid,
ADD COLUMN last_message_at timestamptz;

UPDATE conversations AS c
SET
    member_count = (SELECT COUNT(*) FROM conversation_members WHERE conversation_id = c.id),
    last_message_id = (SELECT id FROM messages WHERE conversation_id = c.id ORDER BY created_at DESC LIMIT 1),
    last_message_at = (SELECT created_at FROM messages WHERE conversation_id = c.id ORDER BY created_at DESC LIMIT 1);

CREATE OR REPLACE FUNCTION update_conversation_member_count() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE conversations
        SET member_count = member_count + 1
        WHERE id = NEW.conversation_id;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE conversations
        SET member_count = GREATEST(member_count - 1, 0)
        WHERE id = OLD.conversation_id;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER update_member_count_on_add
AFTER INSERT ON conversation_members
FOR EACH ROW EXECUTE FUNCTION update_conversation_member_count();

CREATE TRIGGER update_member_count_on_remove
AFTER DELETE ON conversation_members
FOR EACH ROW EXECUTE FUNCTION update_conversation_member_count();

CREATE OR REPLACE FUNCTION update_conversation_last_message() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE conversations
    SET
        last_message_id = NEW.id,
        last_message_at = NEW.created_at,
        updated_at = NEW.created_at
    WHERE id = NEW.conversation_id;
    RETURN NEW;
END;
$$;

CREATE TRIGGER update_last_message
AFTER INSERT ON messages
FOR EACH ROW EXECUTE FUNCTION update_conversation_last_message();
