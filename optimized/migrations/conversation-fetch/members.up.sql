CREATE TRIGGER members_renew_of_joined
AFTER INSERT ON conversation_members
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_of_changed();

CREATE TRIGGER members_renew_of_left
AFTER DELETE ON conversation_members
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_of_changed();

CREATE TRIGGER members_renew_of_moved
AFTER UPDATE OF conversation_id ON conversation_members
FOR EACH ROW WHEN (OLD.conversation_id <> NEW.conversation_id)
EXECUTE FUNCTION renew_of_moved();
