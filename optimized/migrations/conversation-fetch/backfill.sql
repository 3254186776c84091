-- Whoever writes from now on keeps the columns, so each conversation is looked at once, under its
-- lock. A thousand at a time, so that none is locked for long.
DO $do$
DECLARE
    batch uuid[];
    after uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        batch := ARRAY(
            SELECT id
            FROM conversations
            WHERE id > after
            ORDER BY id
            LIMIT 1000
        );
        EXIT WHEN CARDINALITY(batch) = 0;
        PERFORM renew_conversations(batch);
        after := batch[CARDINALITY(batch)];
        COMMIT;
    END LOOP;
END;
$do$;
