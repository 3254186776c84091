//! A conversation.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A conversation's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationKind {
    /// Between two users, without a name.
    Direct,
    /// Between three or more, with a name.
    Group,
}

impl ConversationKind {
    /// As the database holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
        }
    }
}

/// Whether the service can read a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivacyMode {
    /// Plain text, which searches find.
    SearchEnabled,
    /// Encrypted end to end: messages have no plain text.
    StrictE2e,
}

impl PrivacyMode {
    /// As the database holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SearchEnabled => "search_enabled",
            Self::StrictE2e => "strict_e2e",
        }
    }
}

/// A row of `conversations`, without its messages (see
/// [`World::messages`](crate::World::messages)); its `updated_at` is the time of the last one.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: Uuid,
    /// Its messages, deleted and recalled ones included.
    pub messages: u64,
    /// Its members; the first is the owner and creator.
    pub members: Vec<Uuid>,
    /// Its type.
    pub kind: ConversationKind,
    /// Whether its messages have plain text.
    pub privacy: PrivacyMode,
    /// Its name; groups have one.
    pub name: Option<String>,
    /// When it was created, before its first message.
    pub created_at: DateTime<Utc>,
    /// Number among all conversations of the world.
    pub(crate) index: u32,
}
