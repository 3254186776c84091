DO $do$
BEGIN
    EXECUTE REPLACE(
        PG_GET_FUNCTIONDEF('touch_conversation'::regproc),
        ',
        last_message_id = CASE
            WHEN (NEW.created_at, NEW.id) < (last_message_at, last_message_id)
            THEN last_message_id
            ELSE NEW.id
        END,
        last_message_at = GREATEST(last_message_at, NEW.created_at)',
        ''
    );
END;
$do$;

DROP FUNCTION renew_of_moved();
DROP FUNCTION renew_of_changed();
DROP FUNCTION renew_conversations(uuid[]);

ALTER TABLE conversations
DROP COLUMN member_count,
DROP COLUMN last_message_id,
DROP COLUMN last_message_at;
