CREATE INDEX IF NOT EXISTS idx_messages_conversation_visible
ON messages (conversation_id, created_at DESC)
WHERE recalled_at IS NULL AND deleted_at IS NULL;

DROP INDEX IF EXISTS idx_messages_conversation_hidden;

-- Item 7's fix has its pages by this index, too: it stays for as long as that stands.
DO LANGUAGE plpgsql $do$
BEGIN
    IF TO_REGCLASS('idx_posts_user_page') IS NULL THEN
        DROP INDEX IF EXISTS idx_messages_conversation_page;
    END IF;
END;
$do$;
