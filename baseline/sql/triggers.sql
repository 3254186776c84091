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

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END;
$$;

-- Today these fire whatever is written; here not where a statement sets another time itself, so
-- that what a trial writes can be taken back to the same row. Nothing of today's sets one.
CREATE TRIGGER posts_touch
BEFORE UPDATE ON posts
FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at)
EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER post_images_touch
BEFORE UPDATE ON post_images
FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at)
EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER post_metadata_touch
BEFORE UPDATE ON post_metadata
FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at)
EXECUTE FUNCTION touch_updated_at();
