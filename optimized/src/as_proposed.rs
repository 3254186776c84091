//! The audit's own fixes, their semantics exactly, faults included, in this tree's formatting
//! and names. Nothing here is meant to be used: it is what the trial holds against `optimized`.

pub mod cache;
pub mod conversation_fetch;
pub mod engagement_rollup;
pub mod feed_candidates;
pub mod feed_tables;
pub mod indexes;
pub mod message_history;
pub mod message_search;
pub mod message_send;
pub mod monitoring;
pub mod pagination;
pub mod partitioning;
pub mod pool;
pub mod post_images;
