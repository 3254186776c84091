-- The conversation's id beside the words in one index.
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- A vector holds 1 MB at most. Today a text is sent for which that is too little, and then no
-- search of its conversation runs; with its vector in a column or an index it could not be sent.
-- So of such a text the beginning is searched: 60 000 characters fit, whatever they are.
-- The cost says what it is to make vectors: a plan for any conversation takes each to be small,
-- and would rather make those of all its messages than use the index.
CREATE FUNCTION message_vector(content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT COST 10000 AS $$
BEGIN
    RETURN to_tsvector('english', content);
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN to_tsvector('english', left(content, 60000));
END;
$$;
