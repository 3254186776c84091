CREATE TRIGGER messages_renew_of_deleted
AFTER DELETE ON messages
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_of_changed();

CREATE TRIGGER messages_renew_of_moved
AFTER UPDATE OF conversation_id, created_at ON messages
FOR EACH ROW WHEN (
    OLD.conversation_id <> NEW.conversation_id OR OLD.created_at <> NEW.created_at
)
EXECUTE FUNCTION renew_of_moved();
