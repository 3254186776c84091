DO LANGUAGE plpgsql $do$
BEGIN
    EXECUTE REGEXP_REPLACE(
        PG_GET_FUNCTIONDEF('touch_conversation'::regproc),
        ',\s+last_message_id = .*last_message_at = GREATEST\([^)]*\)',
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
