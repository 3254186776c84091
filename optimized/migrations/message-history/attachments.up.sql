-- The first of a message's attachments raises its flag, all others find it raised and write nothing.
CREATE FUNCTION note_attachments() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE messages
    SET has_attachments = true
    WHERE id = NEW.message_id
      AND NOT has_attachments;
    RETURN NULL;
END;
$$;

-- The last that goes lowers it. Whoever adds one at that moment holds the message by the foreign
-- key until the end, and has seen the flag raised: then it stays up, which is never wrong, since
-- a page looks at the rows themselves. Otherwise he or she waits for the lock, and raises it anew.
-- It waits for nobody.
CREATE FUNCTION forget_attachments() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM messages WHERE id = OLD.message_id FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE messages
        SET has_attachments = false
        WHERE id = OLD.message_id
          AND has_attachments
          AND NOT EXISTS (SELECT FROM message_attachments WHERE message_id = OLD.message_id);
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER message_attachments_note
AFTER INSERT OR UPDATE OF message_id ON message_attachments
FOR EACH ROW EXECUTE FUNCTION note_attachments();

CREATE TRIGGER message_attachments_forget
AFTER DELETE OR UPDATE OF message_id ON message_attachments
FOR EACH ROW EXECUTE FUNCTION forget_attachments();
