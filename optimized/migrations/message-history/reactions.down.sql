DROP TRIGGER message_reactions_note ON message_reactions;
DROP TRIGGER message_reactions_forget ON message_reactions;
DROP FUNCTION note_reactions();
DROP FUNCTION forget_reactions();
