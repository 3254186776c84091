DO $do$
BEGIN
    EXECUTE REPLACE(
        PG_GET_FUNCTIONDEF('touch_conversation'::regproc),
        ',
        last_sequence_number = last_sequence_number + 1',
        ''
    );
END;
$do$;

ALTER TABLE conversations
DROP COLUMN last_sequence_number;
