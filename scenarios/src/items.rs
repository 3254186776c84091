//! The items, one file each, under the names that they have in `baseline` and `optimized`.

pub mod cache;
pub mod conversation_fetch;
pub mod engagement_rollup;
pub mod feed_candidates;
pub mod feed_tables;
pub mod hot_cold;
pub mod indexes;
pub mod message_history;
pub mod message_search;
pub mod message_send;
pub mod monitoring;
pub mod pagination;
pub mod partitioning;
pub mod pool;
pub mod post_images;
mod sends;

pub use cache::Caching;
pub use conversation_fetch::ConversationFetch;
pub use engagement_rollup::EngagementRollup;
pub use feed_candidates::FeedCandidates;
pub use feed_tables::FeedTables;
pub use hot_cold::HotCold;
pub use indexes::Indexes;
pub use message_history::MessageHistory;
pub use message_search::MessageSearch;
pub use message_send::MessageSend;
pub use monitoring::Monitoring;
pub use pagination::Pagination;
pub use partitioning::Partitioning;
pub use pool::Pool;
pub use post_images::PostImages;
