//! The items, one file each, under the names that they have in `baseline` and `optimized`.

mod message_history;
mod message_send;
mod pagination;

pub use message_history::MessageHistory;
pub use message_send::MessageSend;
pub use pagination::Pagination;
