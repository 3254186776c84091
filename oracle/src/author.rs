//! The posts of one author, as answers show them.

use std::collections::HashMap;

use uuid::Uuid;
use verdict_baseline::pagination::Post;
use verdict_seed::{Author, World};

use crate::timeline::Timeline;

/// An author with everything he or she posted.
#[derive(Debug, Clone)]
pub struct AuthorRows {
    /// The author.
    pub id: Uuid,
    rows: HashMap<Uuid, Post>,
    visible: Timeline,
}

impl AuthorRows {
    /// An author of these posts.
    pub fn new(id: Uuid, posts: Vec<Post>) -> Self {
        Self {
            id,
            visible: Timeline::newest_first(
                posts
                    .iter()
                    .filter(|post| post.soft_delete.is_none())
                    .map(|post| (post.created_at, post.id)),
            ),
            rows: posts.into_iter().map(|post| (post.id, post)).collect(),
        }
    }

    /// The generator's rows of an author of the world.
    pub(crate) fn of(world: &World, author: &Author) -> Self {
        let posts = world
            .posts(author)
            .into_iter()
            .map(|post| Post {
                id: post.id,
                user_id: post.author,
                caption: post.caption,
                image_key: post.image_key,
                // The generator's own JSON is valid.
                image_sizes: post
                    .image_sizes
                    .and_then(|sizes| serde_json::from_str(sizes).ok()),
                status: post.status.as_str().to_owned(),
                content_type: post.content_type.to_owned(),
                created_at: post.created_at,
                updated_at: post.updated_at,
                soft_delete: post.soft_delete,
            })
            .collect();
        Self::new(author.id, posts)
    }

    /// The posts that are not deleted, newest first.
    pub fn visible(&self) -> &Timeline {
        &self.visible
    }

    /// A post.
    pub fn post(&self, id: Uuid) -> Option<&Post> {
        self.rows.get(&id)
    }

    /// The rows with one more post.
    pub(crate) fn with_post(&self, post: &Post) -> Self {
        Self::new(self.id, self.rows().chain([post]).cloned().collect())
    }

    /// How many rows there are in all, deleted ones included.
    pub(crate) fn weight(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Every row, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &Post> {
        self.rows.values()
    }
}
