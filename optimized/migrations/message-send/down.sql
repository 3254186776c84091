DO LANGUAGE plpgsql $do$
BEGIN
    EXECUTE REGEXP_REPLACE(
        PG_GET_FUNCTIONDEF('touch_conversation'::regproc),
        ',\s+last_sequence_number = last_sequence_number . \d+',
        ''
    );
END;
$do$;

ALTER TABLE conversations
DROP COLUMN last_sequence_number;
