-- Columns and what keeps them, with no other lock than that of an empty change of the table.
ALTER TABLE conversations
ADD COLUMN member_count integer NOT NULL DEFAULT 0,
ADD COLUMN last_message_id uuid,
ADD COLUMN last_message_at timestamptz;

-- Today's trigger notes the message in the update that it makes anyway: no version more. Added to
-- the function as it stands, since other fixes add their own columns. A message that comes late
-- takes no later one's place.
DO $do$
BEGIN
    EXECUTE REPLACE(
        PG_GET_FUNCTIONDEF('touch_conversation'::regproc),
        'SET updated_at = NEW.created_at',
        'SET updated_at = NEW.created_at,
        last_message_id = CASE
            WHEN (NEW.created_at, NEW.id) < (last_message_at, last_message_id)
            THEN last_message_id
            ELSE NEW.id
        END,
        last_message_at = GREATEST(last_message_at, NEW.created_at)'
    );
END;
$do$;

-- Conversations are locked in one order, so that two changes of many never wait for each other,
-- and looked at when they are locked, so that nothing is missed that was written meanwhile.
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
    UPDATE conversations AS c
    SET member_count = now.members,
        last_message_id = now.id,
        last_message_at = now.created_at
    FROM (
        SELECT
            conversation,
            (
                SELECT COUNT(*)
                FROM conversation_members
                WHERE conversation_id = conversation
            ) AS members,
            last.id,
            last.created_at
        FROM UNNEST(locked) AS conversation
        LEFT JOIN LATERAL (
            SELECT id, created_at
            FROM messages
            WHERE conversation_id = conversation
            ORDER BY created_at DESC, id DESC
            LIMIT 1
        ) AS last ON TRUE
    ) AS now
    WHERE c.id = now.conversation
      AND (c.member_count, c.last_message_id, c.last_message_at)
          IS DISTINCT FROM (now.members, now.id, now.created_at);
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
