//! The items, one file each, under the names that they have in `baseline` and `optimized`.

pub mod engagement_rollup;
pub mod message_history;
pub mod message_send;
pub mod pagination;

pub use engagement_rollup::EngagementRollup;
pub use message_history::MessageHistory;
pub use message_send::MessageSend;
pub use pagination::Pagination;
