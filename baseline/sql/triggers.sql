-- Today's triggers.

CREATE FUNCTION touch_conversation() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE conversations
    SET updated_at = NEW.created_at
    WHERE id = NEW.conversation_id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER messages_touch_conversation
AFTER INSERT ON messages
FOR EACH ROW EXECUTE FUNCTION touch_conversation();

CREATE FUNCTION create_post_metadata() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO post_metadata (post_id)
    VALUES (NEW.id);
    RETURN NULL;
END;
$$;

CREATE TRIGGER posts_create_metadata
AFTER INSERT ON posts
FOR EACH ROW EXECUTE FUNCTION create_post_metadata();
