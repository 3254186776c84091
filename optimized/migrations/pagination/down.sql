CREATE INDEX IF NOT EXISTS idx_posts_user_created
ON posts (user_id, created_at DESC)
WHERE soft_delete IS NULL;

DROP INDEX IF EXISTS idx_posts_user_page;

-- Item 1's fix has its pages by this index, too, in the place of today's: it stays for as long as
-- that stands.
DO LANGUAGE plpgsql $do$
BEGIN
    IF TO_REGCLASS('idx_messages_conversation_visible') IS NOT NULL THEN
        DROP INDEX IF EXISTS idx_messages_conversation_page;
    END IF;
END;
$do$;
