//! What was told after the world was made.

use std::collections::HashMap;

use uuid::Uuid;
use verdict_seed::World;

use super::known::Act;
use super::{Done, Kind, PostFacts, Second};

/// What the newest version of a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A like; its key is all three.
    Like {
        /// Who likes.
        user: Uuid,
        /// Which post.
        post: Uuid,
        /// When.
        at: Second,
        /// Whether it stands.
        stands: bool,
    },
    /// A comment.
    Comment {
        /// Its key.
        id: Uuid,
        /// Who comments.
        user: Uuid,
        /// On which post.
        post: Uuid,
        /// When.
        at: Second,
        /// Whether it stands.
        stands: bool,
    },
    /// A post.
    Post {
        /// Its key.
        id: Uuid,
        /// What it is.
        facts: PostFacts,
    },
}

/// All of it, by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    likes: HashMap<(Uuid, Uuid, Second), bool>,
    comments: HashMap<Uuid, (Done, bool)>,
    posts: HashMap<Uuid, PostFacts>,
}

impl Told {
    pub fn tell(&mut self, event: Event) {
        match event {
            Event::Like {
                user,
                post,
                at,
                stands,
            } => {
                self.likes.insert((user, post, at), stands);
            }
            Event::Comment {
                id,
                user,
                post,
                at,
                stands,
            } => {
                let done = Done {
                    kind: Kind::Comment,
                    user,
                    post,
                    at,
                };
                self.comments.insert(id, (done, stands));
            }
            Event::Post { id, facts } => {
                self.posts.insert(id, facts);
            }
        }
    }

    pub fn post(&self, id: Uuid) -> Option<PostFacts> {
        self.posts.get(&id).copied()
    }

    pub fn posts(&self) -> impl Iterator<Item = (Uuid, PostFacts)> {
        self.posts.iter().map(|(id, facts)| (*id, *facts))
    }

    /// Whether something that the world holds was told anew.
    pub fn replaces(&self, world: &World, act: &Act) -> bool {
        let Done { user, post, at, .. } = act.done;
        match act.comment {
            None => self.likes.contains_key(&(user, post, at)),
            // An id is dear to make, and seldom asked for.
            Some((post, number)) => {
                !self.comments.is_empty()
                    && self.comments.contains_key(&world.comment(post, number))
            }
        }
    }

    /// Likes and comments that were told and stand.
    pub fn standing(&self) -> impl Iterator<Item = Done> {
        let likes = self.likes.iter().filter(|(_, stands)| **stands);
        let likes = likes.map(|((user, post, at), _)| Done {
            kind: Kind::Like,
            user: *user,
            post: *post,
            at: *at,
        });
        let comments = self.comments.values().filter(|(_, stands)| *stands);
        likes.chain(comments.map(|(done, _)| *done))
    }
}
