-- Whether there may be reactions to a message, or files with it.
ALTER TABLE messages
ADD COLUMN has_reactions boolean NOT NULL DEFAULT false,
ADD COLUMN has_attachments boolean NOT NULL DEFAULT false;
