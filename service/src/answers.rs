//! What the service answers with, as JSON.

use serde::{Deserialize, Serialize};
use verdict_baseline::conversation_fetch::Listed;
use verdict_baseline::message_history::DetailedMessage;
use verdict_baseline::pagination::Post;
use verdict_baseline::post_images::PostWithImages;

/// A page of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryAnswer {
    /// Oldest first.
    pub messages: Vec<DetailedMessage>,
}

/// A page of an author's posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostsAnswer {
    /// Newest first.
    pub posts: Vec<Post>,
    /// The cursor of the page after it; none on the side that knows no cursors, and after the
    /// last page.
    pub next: Option<String>,
}

/// A page of somebody's feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedAnswer {
    /// Best first.
    pub posts: Vec<PostWithImages>,
}

/// A user's conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationsAnswer {
    /// Those first in which a message came last.
    pub conversations: Vec<Listed>,
}
