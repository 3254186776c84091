-- Whoever writes from now on keeps flags and counts, so each row is looked at once. A thousand
-- conversations at a time, counted under their locks, so that none is locked for long.
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
            FOR NO KEY UPDATE
        );
        EXIT WHEN CARDINALITY(batch) = 0;
        UPDATE conversations
        SET message_count = (
            SELECT COUNT(*)
            FROM messages
            WHERE conversation_id = conversations.id
        )
        WHERE id = ANY(batch);
        after := batch[CARDINALITY(batch)];
        COMMIT;
        -- A flag that was raised meanwhile stays up.
        UPDATE messages
        SET has_reactions = has_reactions
                OR EXISTS (SELECT FROM message_reactions WHERE message_id = messages.id),
            has_attachments = has_attachments
                OR EXISTS (SELECT FROM message_attachments WHERE message_id = messages.id)
        WHERE conversation_id = ANY(batch)
          AND (
              EXISTS (SELECT FROM message_reactions WHERE message_id = messages.id)
              OR EXISTS (SELECT FROM message_attachments WHERE message_id = messages.id)
          );
        COMMIT;
    END LOOP;
END;
$do$;
