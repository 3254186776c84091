//! The posts of one author, as answers show them.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;
use verdict_baseline::pagination::Post;
use verdict_seed::{Author, World};

use crate::timeline::{Key, Timeline};
use crate::turn::Turn;

/// An author with everything he or she posted.
#[derive(Debug, Clone)]
pub struct AuthorRows {
    /// The author.
    pub id: Uuid,
    rows: HashMap<Uuid, Arc<Post>>,
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
                    .map(key),
            ),
            rows: posts
                .into_iter()
                .map(|post| (post.id, Arc::new(post)))
                .collect(),
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
    pub fn post(&self, id: Uuid) -> Option<&Arc<Post>> {
        self.rows.get(&id)
    }

    /// The rows after a post was added, altered or taken away.
    pub(crate) fn turned(&self, turn: &Turn<Arc<Post>>) -> Self {
        let mut rows = self.clone();
        if let Some(before) = &turn.before
            && let Some(gone) = rows.rows.remove(&before.id)
        {
            rows.visible.remove(key(&gone));
        }
        if let Some(after) = &turn.after {
            if after.soft_delete.is_none() {
                rows.visible.insert(key(after));
            }
            rows.rows.insert(after.id, Arc::clone(after));
        }
        rows
    }

    /// How many rows there are in all, deleted ones included.
    pub(crate) fn weight(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Every row, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &Post> {
        self.rows.values().map(Arc::as_ref)
    }
}

fn key(post: &Post) -> Key {
    (post.created_at, post.id)
}
