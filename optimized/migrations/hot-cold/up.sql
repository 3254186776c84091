-- A table for each month in the place of one. What is unique over all months needs a table that
-- has none: a row there for each message, which what belongs to messages refers to.
--
-- Writers of messages and of what they are referred to by or refer to wait until all is copied;
-- readers for the last statements alone.
SET LOCAL timezone = 'UTC';

-- In the order in which a send takes them, so that neither waits for the other.
LOCK TABLE messages, conversations, users, message_reactions, message_attachments, message_search_index
IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE messages_by_month (LIKE messages INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
PARTITION BY RANGE (created_at);

-- From the first month of the rows to the last; what is earlier or later has a table, too. A
-- default one would end the order of the months, in which the newest rows are found first.
DO LANGUAGE plpgsql $do$
DECLARE
    month timestamptz;
    later timestamptz;
BEGIN
    SELECT
        DATE_TRUNC('month', COALESCE(MIN(created_at), NOW())),
        DATE_TRUNC('month', COALESCE(MAX(created_at), NOW())) + INTERVAL '1 month'
    INTO month, later
    FROM messages;
    EXECUTE FORMAT(
        'CREATE TABLE messages_before PARTITION OF messages_by_month
        FOR VALUES FROM (MINVALUE) TO (%L)',
        month
    );
    EXECUTE FORMAT(
        'CREATE TABLE messages_after PARTITION OF messages_by_month
        FOR VALUES FROM (%L) TO (MAXVALUE)',
        later
    );
    WHILE month < later LOOP
        EXECUTE FORMAT(
            'CREATE TABLE %I PARTITION OF messages_by_month FOR VALUES FROM (%L) TO (%L)',
            TO_CHAR(month, '"messages_"YYYY_MM'),
            month,
            month + INTERVAL '1 month'
        );
        month := month + INTERVAL '1 month';
    END LOOP;
END;
$do$;

INSERT INTO messages_by_month
SELECT *
FROM messages;

CREATE TABLE message_keys (
    id              uuid NOT NULL,
    idempotency_key uuid
);

INSERT INTO message_keys
SELECT id, idempotency_key
FROM messages;

ALTER TABLE message_keys ADD CONSTRAINT message_keys_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_message_keys_idempotency ON message_keys (idempotency_key);

ALTER TABLE messages_by_month ADD CONSTRAINT messages_by_month_pkey PRIMARY KEY (id, created_at);
CREATE INDEX idx_months_conversation_created ON messages_by_month (conversation_id, created_at DESC);
CREATE INDEX idx_months_conversation_visible ON messages_by_month (conversation_id, created_at DESC)
    WHERE recalled_at IS NULL AND deleted_at IS NULL;
CREATE INDEX idx_months_created_at ON messages_by_month (created_at DESC);
CREATE INDEX idx_months_sender ON messages_by_month (sender_id);
CREATE INDEX idx_months_version ON messages_by_month (id, version_number);
CREATE INDEX idx_months_recalled_at ON messages_by_month (recalled_at) WHERE recalled_at IS NOT NULL;
CREATE INDEX idx_months_edited_at ON messages_by_month (edited_at) WHERE edited_at IS NOT NULL;
CREATE INDEX idx_months_idempotency_key ON messages_by_month (idempotency_key)
    WHERE idempotency_key IS NOT NULL;

ALTER TABLE messages_by_month
ADD CONSTRAINT messages_conversation_id_fkey
    FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
ADD CONSTRAINT messages_sender_id_fkey
    FOREIGN KEY (sender_id) REFERENCES users (id);

-- Before the row is written, so that a message that was sent before is told as such first, as by
-- today's unique indexes. Nothing in the service changes an id or a key afterwards.
CREATE FUNCTION note_message() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO message_keys (id, idempotency_key)
    VALUES (NEW.id, NEW.idempotency_key);
    RETURN NEW;
END;
$$;

CREATE TRIGGER messages_note
BEFORE INSERT ON messages_by_month
FOR EACH ROW EXECUTE FUNCTION note_message();

CREATE FUNCTION forget_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM message_keys
    USING gone
    WHERE message_keys.id = gone.id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER messages_forget
AFTER DELETE ON messages_by_month
REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION forget_messages();

CREATE TRIGGER messages_touch_conversation
AFTER INSERT ON messages_by_month
FOR EACH ROW EXECUTE FUNCTION touch_conversation();

-- Lets go of the months before one; how many messages those were. What belongs to them goes with
-- their keys. Writers of messages wait for all of it, readers for the tables to be dropped.
CREATE FUNCTION retire_messages(keep_from timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET timezone = 'UTC'
AS $$
DECLARE
    part regclass;
    gone bigint;
    retired bigint := 0;
BEGIN
    LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE;
    FOR part IN
        SELECT inhrelid::regclass
        FROM pg_inherits
        JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'messages'::regclass
          AND relname < TO_CHAR(keep_from, '"messages_"YYYY_MM')
        UNION ALL
        SELECT 'messages_before'::regclass
    LOOP
        EXECUTE FORMAT(
            'DELETE FROM message_keys USING %s AS retired WHERE message_keys.id = retired.id',
            part
        );
        GET DIAGNOSTICS gone = ROW_COUNT;
        retired := retired + gone;
        EXECUTE FORMAT('DROP TABLE %s', part);
    END LOOP;
    EXECUTE FORMAT(
        'CREATE TABLE messages_before PARTITION OF messages FOR VALUES FROM (MINVALUE) TO (%L)',
        DATE_TRUNC('month', keep_from)
    );
    RETURN retired;
END;
$$;

-- Readers look into messages first, and then into what belongs to them.
LOCK TABLE messages IN ACCESS EXCLUSIVE MODE;

-- What refers to messages is validated later, when nobody waits for it.
ALTER TABLE message_reactions
DROP CONSTRAINT message_reactions_message_id_fkey,
ADD CONSTRAINT message_reactions_message_id_fkey
    FOREIGN KEY (message_id) REFERENCES message_keys (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE message_attachments
DROP CONSTRAINT message_attachments_message_id_fkey,
ADD CONSTRAINT message_attachments_message_id_fkey
    FOREIGN KEY (message_id) REFERENCES message_keys (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE message_search_index
DROP CONSTRAINT message_search_index_message_id_fkey,
ADD CONSTRAINT message_search_index_message_id_fkey
    FOREIGN KEY (message_id) REFERENCES message_keys (id) ON DELETE CASCADE NOT VALID;

DROP TABLE messages;

ALTER TABLE messages_by_month RENAME TO messages;
-- Today's service tells by these names that a message was sent before.
ALTER INDEX message_keys_pkey RENAME TO messages_pkey;
ALTER INDEX idx_message_keys_idempotency RENAME TO idx_messages_idempotency;
ALTER INDEX idx_months_conversation_created RENAME TO idx_messages_conversation_created;
ALTER INDEX idx_months_conversation_visible RENAME TO idx_messages_conversation_visible;
ALTER INDEX idx_months_created_at RENAME TO idx_messages_created_at;
ALTER INDEX idx_months_sender RENAME TO idx_messages_sender;
ALTER INDEX idx_months_version RENAME TO idx_messages_version;
ALTER INDEX idx_months_recalled_at RENAME TO idx_messages_recalled_at;
ALTER INDEX idx_months_edited_at RENAME TO idx_messages_edited_at;
ALTER INDEX idx_months_idempotency_key RENAME TO idx_messages_idempotency_key;
