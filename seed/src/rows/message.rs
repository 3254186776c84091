//! A message with its reactions and attachments.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// Words.
    Text,
    /// A note of the service.
    System,
    /// One to three pictures, perhaps with words.
    Image,
    /// A recording.
    Audio,
}

impl MessageType {
    /// As the database holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::System => "system",
            Self::Image => "image",
            Self::Audio => "audio",
        }
    }
}

/// A row of `messages`.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: Uuid,
    /// Its conversation.
    pub conversation: Uuid,
    /// Who sent it; a member of the conversation.
    pub sender: Uuid,
    /// Its plain text; absent when encrypted, and for pictures and recordings without words.
    pub content: Option<String>,
    /// Its encrypted content with the nonce, in strictly encrypted conversations.
    pub encrypted: Option<(Vec<u8>, [u8; 24])>,
    /// What it is.
    pub message_type: MessageType,
    /// 1, and one more for every edit.
    pub version: i32,
    /// When it was sent; about one in a hundred is sent at the same instant as another of
    /// the conversation.
    pub created_at: DateTime<Utc>,
    /// When it was sent, edited or recalled last.
    pub updated_at: DateTime<Utc>,
    /// When it was recalled.
    pub recalled_at: Option<DateTime<Utc>>,
    /// When it was deleted; no message is both recalled and deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// The sender's key against doubles; older clients send none.
    pub idempotency_key: Option<Uuid>,
    /// Number among all messages of the world.
    pub(crate) number: u64,
}

/// A row of `message_reactions`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// Its id.
    pub id: Uuid,
    /// The message.
    pub message: Uuid,
    /// Who reacted; a member of the conversation.
    pub user: Uuid,
    /// How; a user gives a message each emoji once.
    pub emoji: &'static str,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A row of `message_attachments`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Its id.
    pub id: Uuid,
    /// The message.
    pub message: Uuid,
    /// Name with extension.
    pub file_name: String,
    /// Media type.
    pub file_type: &'static str,
    /// Bytes.
    pub file_size: i32,
    /// Where it is stored.
    pub s3_key: String,
    /// When; the message's own time.
    pub created_at: DateTime<Utc>,
}
