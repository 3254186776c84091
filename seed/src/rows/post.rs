//! An author, a post, and its images.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::engagement::Engagement;

/// A user as the author of posts (see [`World::posts`](crate::World::posts)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// The user's id.
    pub id: Uuid,
    /// The user's posts, deleted and unpublished ones included.
    pub posts: u64,
    /// Number among all users of the world.
    pub(crate) index: u32,
}

/// A post's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostStatus {
    /// Uploaded a moment ago.
    Pending,
    /// Its images are being made.
    Processing,
    /// To be seen; only such posts are liked, commented and viewed.
    Published,
    /// Its images could not be made.
    Failed,
}

impl PostStatus {
    /// As the database holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Published => "published",
            Self::Failed => "failed",
        }
    }
}

/// A row of `posts`.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Its id.
    pub id: Uuid,
    /// Its author.
    pub author: Uuid,
    /// Its words, if any.
    pub caption: Option<String>,
    /// Where the upload is stored.
    pub image_key: String,
    /// JSON of each variant's width; published posts have it.
    pub image_sizes: Option<&'static str>,
    /// Its state.
    pub status: PostStatus,
    /// `image`, `video` or `mixed`.
    pub content_type: &'static str,
    /// When it was made; about one in a hundred at the same instant as the author's one before.
    pub created_at: DateTime<Utc>,
    /// When its words were changed last.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted.
    pub soft_delete: Option<DateTime<Utc>>,
    /// Number among all posts of the world.
    pub(crate) number: u64,
}

/// A post whose row was deleted, and with it the rows of its likes and comments: nothing of it is
/// left but the versions in the change feeds, and what was done to it in `post_events`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletedPost {
    /// The post as it was.
    pub post: Post,
    /// When its row was deleted.
    pub deleted_at: DateTime<Utc>,
    /// What had been done to it; every like and comment is removed by then.
    pub engagement: Engagement,
}

/// A row of `post_images`.
#[derive(Debug, Clone, PartialEq)]
pub struct PostImage {
    /// Its id.
    pub id: Uuid,
    /// The post.
    pub post: Uuid,
    /// Where it is stored.
    pub s3_key: String,
    /// `completed`, or `pending`, `processing` or `failed`.
    pub status: &'static str,
    /// `original`, `medium` or `thumbnail`; now and then twice for a post.
    pub variant: &'static str,
    /// Where it is served; some completed images have none.
    pub url: Option<String>,
    /// Width and height in pixels, and size in bytes, of completed images.
    pub dimensions: Option<(i32, i32, i32)>,
    /// When its row was made.
    pub created_at: DateTime<Utc>,
    /// When its status changed last.
    pub updated_at: DateTime<Utc>,
}
