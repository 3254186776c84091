DROP TRIGGER message_attachments_note ON message_attachments;
DROP TRIGGER message_attachments_forget ON message_attachments;
DROP FUNCTION note_attachments();
DROP FUNCTION forget_attachments();
