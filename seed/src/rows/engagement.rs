//! What becomes of a post.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What became of one post.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Engagement {
    /// Likes ever given, withdrawn ones included. A user has one that stands at most, and
    /// another one later only after the first was withdrawn.
    pub likes: Vec<Like>,
    /// Comments ever made, hidden and deleted ones included, in order of time.
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

/// A comment: a row of `comments` unless its row was deleted, and of `comments_cdc` always.
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
    /// When it was hidden; the row stays, and so does its `is_deleted` of 0 in `comments_cdc`.
    pub soft_delete: Option<DateTime<Utc>>,
    /// When its row was deleted; then it is gone from PostgreSQL.
    pub removed_at: Option<DateTime<Utc>>,
}

impl Comment {
    /// Whether it is shown: what `post_metadata.comment_count` counts.
    pub fn is_shown(&self) -> bool {
        self.soft_delete.is_none() && self.removed_at.is_none()
    }
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
        self.comments.iter().filter(|c| c.is_shown()).count() as u64
    }

    /// When the last of it happened.
    pub fn last(&self) -> Option<DateTime<Utc>> {
        let likes = self.likes.iter().map(|like| like.created_at);
        let comments = self.comments.iter().map(|comment| comment.created_at);
        let views = self.views.iter().map(|view| view.at);
        likes.chain(comments).chain(views).max()
    }
}
