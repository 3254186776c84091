DROP TABLE IF EXISTS feed_candidates SYNC;
