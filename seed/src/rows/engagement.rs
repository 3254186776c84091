//! What becomes of a post.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What became of one post.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Engagement {
    /// Likes ever given, withdrawn ones included; one a user.
    pub likes: Vec<Like>,
    /// Comments, deleted ones included, in order of time.
    pub comments: Vec<Comment>,
    /// Views.
    pub views: Vec<View>,
}

/// A like: a row of `likes` unless withdrawn, and of `likes_cdc` always.
#[derive(Debug, Clone, PartialEq)]
pub struct Like {
    /// Its id.
    pub id: Uuid,
    /// Who likes.
    pub user: Uuid,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was withdrawn; then the row is gone from PostgreSQL.
    pub removed_at: Option<DateTime<Utc>>,
}

/// A row of `comments`, and of `comments_cdc`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its id.
    pub id: Uuid,
    /// Who comments.
    pub user: Uuid,
    /// The earlier comment of the same post that it answers.
    pub parent: Option<Uuid>,
    /// Its words.
    pub content: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was deleted.
    pub soft_delete: Option<DateTime<Utc>>,
}

/// A look at a post.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Who looks.
    pub user: Uuid,
    /// When.
    pub at: DateTime<Utc>,
}

impl Engagement {
    /// Likes that stand: `post_metadata.like_count`.
    pub fn like_count(&self) -> u64 {
        let standing = self.likes.iter().filter(|like| like.removed_at.is_none());
        standing.count() as u64
    }

    /// Comments that stand: `post_metadata.comment_count`.
    pub fn comment_count(&self) -> u64 {
        let standing = self.comments.iter().filter(|c| c.soft_delete.is_none());
        standing.count() as u64
    }

    /// When the last of it happened.
    pub(crate) fn last(&self) -> Option<DateTime<Utc>> {
        let likes = self.likes.iter().map(|like| like.created_at);
        let comments = self.comments.iter().map(|comment| comment.created_at);
        let views = self.views.iter().map(|view| view.at);
        likes.chain(comments).chain(views).max()
    }
}
