DROP TRIGGER messages_uncount ON messages;
DROP TRIGGER messages_count_moved ON messages;
DROP FUNCTION uncount_messages();
DROP FUNCTION count_moved_message();

DO LANGUAGE plpgsql $do$
BEGIN
    EXECUTE REGEXP_REPLACE(
        PG_GET_FUNCTIONDEF('touch_conversation'::regproc),
        ',\s+message_count = message_count . \d+',
        ''
    );
END;
$do$;
