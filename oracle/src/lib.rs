//! What a right answer is: computed from the generator, compared whole.
//!
//! One file per item, beside the file of the same name in `baseline`: which requests an item is
//! asked, drawn over every parameter, and the one comparator that its answers are held to, in
//! the check, in samples of the timed calls and in samples of the load.
//!
//! - [`oracle`]: the generator's own rows, kept for as long as they are asked for.
//! - [`conversation`], [`mod@ending`], [`author`]: those rows in the shapes that answers have.
//! - [`events`]: likes and comments as ClickHouse's tables have to come to them.
//! - [`delivery`]: versions of rows, as the change feeds bring them.
//! - [`timeline`]: an order in which rows of one instant may change places.
//! - [`hostile`]: rows that no ordinary world has.
//! - [`mod@write`]: writes between reads, after which another answer is right, and how they are
//!   made.
//! - [`ladder`]: the same thing at growing sizes.

pub mod author;
pub mod cache;
pub mod conversation;
pub mod conversation_fetch;
pub mod delivery;
pub mod difference;
pub mod ending;
pub mod engagement_rollup;
pub mod events;
mod every_author;
pub mod feed;
pub mod feed_candidates;
pub mod feed_tables;
pub mod hostile;
pub mod hot_cold;
pub mod indexes;
pub mod ladder;
mod memo;
pub mod message_history;
pub mod message_search;
pub mod message_send;
pub mod oracle;
pub mod pagination;
pub mod partitioning;
pub mod pool;
pub mod post_images;
pub mod slices;
pub mod timeline;
pub mod turn;
pub mod write;

pub use author::AuthorRows;
pub use conversation::ConversationRows;
pub use delivery::Delivery;
pub use difference::{Difference, Held, same};
pub use ending::Ending;
pub use events::{Event, Events};
pub use hostile::Hostile;
pub use oracle::Oracle;
pub use timeline::Timeline;
pub use turn::Turn;
pub use write::Write;
