-- The audit's second solution as written: the counter begins at 0 whatever the conversation
-- holds, and messages get no sequence_number column.
ALTER TABLE conversations
ADD COLUMN last_sequence_number bigint DEFAULT 0;

CREATE FUNCTION increment_message_sequence() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    next_number bigint;
BEGIN
    UPDATE conversations
    SET last_sequence_number = last_sequence_number + 1,
        updated_at = NEW.created_at
    WHERE id = NEW.conversation_id
    RETURNING last_sequence_number INTO next_number;

    NEW.sequence_number := next_number;
    RETURN NEW;
END;
$$;

CREATE TRIGGER set_message_sequence
BEFORE INSERT ON messages
FOR EACH ROW EXECUTE FUNCTION increment_message_sequence();
