-- Who is writing ends first: from here on every message is counted by whoever writes it.
LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE;

-- Today's trigger counts it in the update that it makes anyway. The function is taken as it stands,
-- since other fixes add to that update, too.
DO LANGUAGE plpgsql $do$
DECLARE
    touch text := PG_GET_FUNCTIONDEF('touch_conversation'::regproc);
BEGIN
    ASSERT touch LIKE '%SET updated_at = NEW.created_at%', 'touch_conversation() is another';
    EXECUTE REPLACE(touch, 'SET updated_at = NEW.created_at', $set$SET updated_at = NEW.created_at,
        message_count = message_count + 1$set$);
END;
$do$;

-- Conversations are locked in one order, so that two changes of many never wait for each other.
CREATE FUNCTION uncount_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    touched record;
BEGIN
    FOR touched IN
        SELECT DISTINCT conversation_id
        FROM gone
        ORDER BY conversation_id
    LOOP
        UPDATE conversations
        SET message_count = message_count - (
            SELECT COUNT(*)
            FROM gone
            WHERE conversation_id = touched.conversation_id
        )
        WHERE id = touched.conversation_id;
    END LOOP;
    RETURN NULL;
END;
$$;

CREATE FUNCTION count_moved_message() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    counted record;
BEGIN
    FOR counted IN
        SELECT conversation_id, messages
        FROM (VALUES (OLD.conversation_id, -1), (NEW.conversation_id, 1))
            AS moved (conversation_id, messages)
        ORDER BY conversation_id
    LOOP
        UPDATE conversations
        SET message_count = message_count + counted.messages
        WHERE id = counted.conversation_id;
    END LOOP;
    RETURN NULL;
END;
$$;

CREATE TRIGGER messages_uncount
AFTER DELETE ON messages
REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION uncount_messages();

CREATE TRIGGER messages_count_moved
AFTER UPDATE OF conversation_id ON messages
FOR EACH ROW WHEN (OLD.conversation_id <> NEW.conversation_id)
EXECUTE FUNCTION count_moved_message();
