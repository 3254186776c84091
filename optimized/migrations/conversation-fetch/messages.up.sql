-- Waits for whoever writes messages by the function as it was, and holds nobody up after that.
CREATE TRIGGER messages_renew_of_deleted
AFTER DELETE ON messages
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_of_changed();

CREATE TRIGGER messages_renew_of_moved
AFTER UPDATE OF conversation_id, created_at ON messages
FOR EACH ROW WHEN (
    (OLD.conversation_id, OLD.created_at) IS DISTINCT FROM (NEW.conversation_id, NEW.created_at)
)
EXECUTE FUNCTION renew_of_moved();
