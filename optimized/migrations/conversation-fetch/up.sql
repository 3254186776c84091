-- Columns and what keeps them, with no other lock than that of an empty change of the table.
ALTER TABLE conversations
ADD COLUMN member_count integer NOT NULL DEFAULT 0,
ADD COLUMN last_message_id uuid,
ADD COLUMN last_message_at timestamptz;

-- Today's trigger writes the row for every message anyway, and notes it in that update: no version
-- more. The function is taken as it stands, since other fixes add to that update, too.
DO LANGUAGE plpgsql $do$
DECLARE
    touch text := PG_GET_FUNCTIONDEF('touch_conversation'::regproc);
BEGIN
    ASSERT touch LIKE '%SET updated_at = NEW.created_at%', 'touch_conversation() is another';
    EXECUTE REPLACE(touch, 'SET updated_at = NEW.created_at', $set$SET updated_at = NEW.created_at,
        last_message_id = CASE
            WHEN NEW.created_at < last_message_at THEN last_message_id
            ELSE NEW.id
        END,
        last_message_at = GREATEST(last_message_at, NEW.created_at)$set$);
END;
$do$;

-- Conversations are locked in one order, so that two changes of many never wait for each other,
-- and looked at by another statement, which sees what was committed until they were locked.
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
    SET member_count = (
            SELECT COUNT(*)
            FROM conversation_members
            WHERE conversation_id = conversations.id
        ),
        (last_message_id, last_message_at) = (
            SELECT id, created_at
            FROM messages
            WHERE conversation_id = conversations.id
            ORDER BY created_at DESC
            LIMIT 1
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
