DROP TRIGGER messages_renew_of_deleted ON messages;
DROP TRIGGER messages_renew_of_moved ON messages;
