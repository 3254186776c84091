DROP FUNCTION message_vector(text);

DROP EXTENSION btree_gin;
