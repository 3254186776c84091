-- Columns and what keeps them, with no other lock than that of an empty change of the table.
ALTER TABLE conversations
ADD COLUMN member_count integer NOT NULL DEFAULT 0,
ADD COLUMN last_message_id uuid;

-- Today's trigger writes the row for every message anyway: what it writes is completed, so that a
-- send leaves no version more, and whatever other fixes add to that update stays as it is. The
-- row is locked by then, so that nothing is missed that was committed before.
CREATE FUNCTION note_last_message() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.last_message_id := (
        SELECT id
        FROM messages
        WHERE conversation_id = NEW.id
        ORDER BY created_at DESC
        LIMIT 1
    );
    RETURN NEW;
END;
$$;

CREATE TRIGGER conversations_note_last_message
BEFORE UPDATE OF updated_at ON conversations
FOR EACH ROW EXECUTE FUNCTION note_last_message();

-- Conversations are locked in one order, so that two changes of many never wait for each other,
-- and counted by another statement, which sees what was committed until they were locked. Setting
-- the time to what it is notes the last message.
CREATE FUNCTION renew_conversations(touched uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    locked uuid[] := ARRAY(
        SELECT id
        FROM conversations
        WHERE id = ANY(touched)
        ORDER BY id
        FOR NO KEY UPDATE
    );
BEGIN
    UPDATE conversations
    SET updated_at = updated_at,
        member_count = (
            SELECT COUNT(*)
            FROM conversation_members
            WHERE conversation_id = conversations.id
        )
    WHERE id = ANY(locked);
END;
$$;

CREATE FUNCTION renew_of_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM renew_conversations(ARRAY(SELECT conversation_id FROM changed));
    RETURN NULL;
END;
$$;

CREATE FUNCTION renew_of_moved() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM renew_conversations(ARRAY[OLD.conversation_id, NEW.conversation_id]);
    RETURN NULL;
END;
$$;
