-- The conversation's id beside the words in one index.
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- A vector holds 1 MB at most. Today a longer message is sent, and searches of its conversation
-- fail; in a column or an index it could not be sent any more. So of a message that is too long
-- the beginning is searched, as much of it as fits. No text of 100 000 bytes comes near.
CREATE FUNCTION message_vector(content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE COST 100 AS $$
DECLARE
    kept integer;
BEGIN
    IF octet_length(content) <= 100000 THEN
        RETURN to_tsvector('english', content);
    END IF;
    kept := length(content);
    LOOP
        BEGIN
            RETURN to_tsvector('english', left(content, kept));
        EXCEPTION WHEN program_limit_exceeded THEN
            kept := kept / 2;
        END;
    END LOOP;
END;
$$;
