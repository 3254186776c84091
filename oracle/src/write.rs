//! Writes between reads: what was right before one is wrong after it.
//!
//! - [`draw`](Write::on_page): which write makes another page right.
//! - [`single`](Write::said): one write, told beforehand.
//! - [`apply`]: how it is made on today's tables.
//! - [`insert`]: single rows, as the oracle has them.

use std::sync::Arc;

use uuid::Uuid;
use verdict_baseline::pagination::Post;
use verdict_store::Table;

use crate::author::AuthorRows;
use crate::conversation::{ConversationRows, Row};
use crate::delivery::Delivery;
use crate::post_images::Hung;
use crate::turn::Turn;

mod apply;
mod draw;
mod gap;
mod hung;
pub mod insert;
mod single;

pub use apply::apply;
pub use draw::Shown;
pub use gap::Page;

/// What a write does, as a service would name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody or something that was unknown comes to be, with its rows.
    Created,
    /// A message or a post, which may arrive late: its time is then before that of others.
    Sent,
    /// Another content.
    Edited,
    /// A message recalled.
    Recalled,
    /// A message or a post deleted, which its row tells.
    Deleted,
    /// A reaction more.
    Reacted,
    /// A reaction less.
    Unreacted,
    /// A file more.
    Attached,
    /// A like more.
    Liked,
    /// A like less.
    Unliked,
    /// A comment more.
    Commented,
    /// Another number of likes, comments and views, or no row that counts them.
    Counted,
    /// Another image of a post served, or none.
    Served,
    /// A member more.
    Joined,
}

/// A change of the world's rows. It says what they were and what they are, so that it can be
/// turned round: a write that is made and then [turned round](Self::back) leaves every column as
/// it was.
#[derive(Debug, Clone)]
pub struct Write {
    /// What it does, before it is turned round.
    pub kind: Kind,
    /// To which rows.
    pub rows: Rows,
}

/// The rows of a write.
#[derive(Debug, Clone)]
pub enum Rows {
    /// A whole conversation.
    Conversation(Turn<Arc<ConversationRows>>),
    /// A message with what belongs to it.
    Message {
        /// Where it is.
        conversation: Uuid,
        /// The message.
        turn: Turn<Arc<Row>>,
    },
    /// A member.
    Member {
        /// Of which conversation.
        conversation: Uuid,
        /// Who.
        turn: Turn<Uuid>,
    },
    /// An author with his or her posts.
    Author(Turn<Arc<AuthorRows>>),
    /// A post.
    Post {
        /// Whose it is.
        author: Uuid,
        /// The post.
        turn: Turn<Arc<Post>>,
    },
    /// What hangs on a post.
    Hung {
        /// Whose it is.
        author: Uuid,
        /// The post.
        post: Uuid,
        /// Its counters and images.
        turn: Turn<Arc<Hung>>,
    },
    /// Versions that the change feeds bring to ClickHouse. Nobody takes a version back: when the
    /// write is turned round, the rows are as if they had never come.
    Delivered(Turn<Arc<[Delivery]>>),
}

impl Write {
    /// Versions that are brought to ClickHouse.
    pub fn delivered(kind: Kind, deliveries: impl Into<Arc<[Delivery]>>) -> Self {
        Self {
            kind,
            rows: Rows::Delivered(Turn::into(deliveries.into())),
        }
    }

    /// The write that takes this one back.
    #[must_use]
    pub fn back(self) -> Self {
        Self {
            kind: self.kind,
            rows: match self.rows {
                Rows::Conversation(turn) => Rows::Conversation(turn.back()),
                Rows::Message { conversation, turn } => Rows::Message {
                    conversation,
                    turn: turn.back(),
                },
                Rows::Member { conversation, turn } => Rows::Member {
                    conversation,
                    turn: turn.back(),
                },
                Rows::Author(turn) => Rows::Author(turn.back()),
                Rows::Post { author, turn } => Rows::Post {
                    author,
                    turn: turn.back(),
                },
                Rows::Hung { author, post, turn } => Rows::Hung {
                    author,
                    post,
                    turn: turn.back(),
                },
                Rows::Delivered(turn) => Rows::Delivered(turn.back()),
            },
        }
    }

    /// The tables that such rows are in today.
    pub fn tables(&self) -> &'static [Table] {
        const CONVERSATION: &[Table] = &[
            Table::postgres("messages"),
            Table::postgres("message_reactions"),
            Table::postgres("message_attachments"),
            Table::postgres("conversations"),
            Table::postgres("conversation_members"),
        ];
        const AUTHOR: &[Table] = &[
            Table::postgres("posts"),
            Table::postgres("post_metadata"),
            Table::postgres("users"),
        ];
        const HUNG: &[Table] = &[
            Table::postgres("post_metadata"),
            Table::postgres("post_images"),
        ];
        const SENT: &[Table] = &[
            Table::postgres("messages"),
            Table::postgres("conversations"),
        ];
        const DELIVERED: &[Table] = &[
            Table::clickhouse("posts_cdc"),
            Table::clickhouse("likes_cdc"),
            Table::clickhouse("comments_cdc"),
        ];
        match (&self.rows, self.kind) {
            (Rows::Delivered(_), _) => DELIVERED,
            (Rows::Conversation(_), _) => CONVERSATION,
            (Rows::Member { .. }, _) => &CONVERSATION[4..],
            (Rows::Author(_), _) => AUTHOR,
            (Rows::Message { .. }, Kind::Sent) => SENT,
            (Rows::Message { .. }, Kind::Reacted | Kind::Unreacted) => &CONVERSATION[1..2],
            (Rows::Message { .. }, Kind::Attached) => &CONVERSATION[2..3],
            (Rows::Message { .. }, _) => &CONVERSATION[..1],
            (Rows::Hung { .. }, Kind::Counted) => &HUNG[..1],
            (Rows::Hung { .. }, _) => &HUNG[1..],
            (Rows::Post { .. }, Kind::Sent | Kind::Created) => &AUTHOR[..2],
            (Rows::Post { .. }, _) => &AUTHOR[..1],
        }
    }
}
