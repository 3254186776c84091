//! Each item of the audit as it is today, one file per item, and the schema it runs on.
//!
//! The request and response types live here: today's answers are the contract that
//! every other variant is held to.

pub mod cache;
pub mod conversation_fetch;
pub mod engagement_rollup;
pub mod error;
pub mod feed;
pub mod feed_candidates;
pub mod feed_tables;
pub mod hot_cold;
pub mod indexes;
pub mod membership;
pub mod message_history;
pub mod message_search;
pub mod message_send;
pub mod monitoring;
pub mod pagination;
pub mod partitioning;
pub mod pool;
pub mod post_images;
pub mod schema;
pub mod stages;
pub mod writes;

pub use error::{Error, Refused, Result};
