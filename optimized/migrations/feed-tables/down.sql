DROP TABLE IF EXISTS feed_candidates_affinity SYNC;
DROP TABLE IF EXISTS feed_candidates_trending SYNC;
DROP TABLE IF EXISTS feed_candidates_followees SYNC;
