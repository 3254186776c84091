//! What a world is made of, as the tables hold it.

mod conversation;
mod engagement;
mod message;
mod post;

pub use conversation::{Conversation, ConversationKind, PrivacyMode};
pub use engagement::{Comment, Engagement, Like, View};
pub use message::{Attachment, Message, MessageType, Reaction};
pub use post::{Author, DeletedPost, Post, PostImage, PostStatus};
