//! All likes and comments of a world, a few bytes each.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;
use verdict_seed::{Interacted, World};

use super::{Done, Kind, PostFacts, Second};

/// Posts by author, what was done to them by post, and the same by user.
#[derive(Debug)]
pub(crate) struct Known {
    world: World,
    posts: Vec<Row>,
    did: Vec<Did>,
    /// Places in `did` by user, and where each user's begin.
    by_user: Vec<u32>,
    user_starts: Vec<u32>,
    post_places: HashMap<Uuid, u32>,
    users: HashMap<Uuid, u32>,
}

#[derive(Debug)]
struct Row {
    id: Uuid,
    number: u64,
    author: u32,
    created_at: Second,
    deleted: bool,
    /// Where its likes and its comments begin in `did`.
    likes: u32,
    comments: u32,
}

#[derive(Debug, Clone, Copy)]
struct Did {
    user: u32,
    at: Second,
    removed: bool,
}

/// A like or a comment with what is needed to know it again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act {
    pub done: Done,
    pub removed: bool,
    /// Of a comment: the number of its post, and its own there.
    pub comment: Option<(u64, usize)>,
}

impl Known {
    /// Makes all of it, with a thread per processor.
    pub(crate) fn of(world: &World) -> Self {
        let users = world.users();
        let mut by_author: Vec<Vec<Interacted>> = Vec::new();
        by_author.resize_with(users as usize, Vec::new);
        let next = AtomicU64::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let work = || {
                let mut made = Vec::new();
                loop {
                    let author = next.fetch_add(1, Ordering::Relaxed);
                    if author >= users {
                        return made;
                    }
                    made.push((author, world.interactions(author)));
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                match worker.join() {
                    Ok(made) => {
                        for (author, posts) in made {
                            by_author[author as usize] = posts;
                        }
                    }
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        Self::laid_out(world, by_author)
    }

    fn laid_out(world: &World, by_author: Vec<Vec<Interacted>>) -> Self {
        let (mut posts, mut did) = (Vec::new(), Vec::new());
        for (author, made) in (0..).zip(by_author) {
            for post in made {
                let likes = did.len() as u32;
                let comments = likes + post.likes.len() as u32;
                did.extend(post.likes.iter().chain(&post.comments).map(|act| Did {
                    user: act.user,
                    at: act.at,
                    removed: act.removed,
                }));
                posts.push(Row {
                    id: post.post,
                    number: post.number,
                    author,
                    created_at: post.created_at,
                    deleted: post.deleted,
                    likes,
                    comments,
                });
            }
        }
        let (by_user, user_starts) = sorted_by_user(world.users() as usize, &did);
        Self {
            post_places: (0..)
                .zip(&posts)
                .map(|(place, post)| (post.id, place))
                .collect(),
            users: (0..world.users() as u32)
                .map(|index| (world.user(index.into()), index))
                .collect(),
            world: world.clone(),
            posts,
            did,
            by_user,
            user_starts,
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The number of a user.
    pub(crate) fn user(&self, id: Uuid) -> Option<u32> {
        self.users.get(&id).copied()
    }

    pub(crate) fn post(&self, id: Uuid) -> Option<PostFacts> {
        let place = *self.post_places.get(&id)?;
        Some(self.facts(&self.posts[place as usize]))
    }

    pub(crate) fn posts(&self) -> impl Iterator<Item = (Uuid, PostFacts)> {
        self.posts.iter().map(|post| (post.id, self.facts(post)))
    }

    fn facts(&self, post: &Row) -> PostFacts {
        PostFacts {
            author: self.world.user(post.author.into()),
            created_at: post.created_at,
            deleted: post.deleted,
        }
    }

    pub(crate) fn by_user(&self, user: Uuid) -> impl Iterator<Item = Act> {
        let range = self.user(user).map_or(0..0, |user| {
            let [start, end] = [user, user + 1].map(|user| self.user_starts[user as usize]);
            start as usize..end as usize
        });
        self.by_user[range].iter().map(|place| {
            // The last post that begins at or before it; one without any begins there too.
            let after = self.posts.partition_point(|post| post.likes <= *place);
            self.act(&self.posts[after - 1], *place)
        })
    }

    pub(crate) fn on_post(&self, post: Uuid) -> impl Iterator<Item = Act> {
        let found = self.post_places.get(&post).map(|place| *place as usize);
        let of = found.map(|place| (&self.posts[place], self.places(place)));
        of.into_iter()
            .flat_map(move |(post, places)| places.map(move |place| self.act(post, place)))
    }

    fn places(&self, post: usize) -> Range<u32> {
        let end = self.posts.get(post + 1).map(|next| next.likes);
        self.posts[post].likes..end.unwrap_or(self.did.len() as u32)
    }

    fn act(&self, post: &Row, place: u32) -> Act {
        let did = self.did[place as usize];
        let comment = place.checked_sub(post.comments);
        Act {
            done: Done {
                kind: match comment {
                    Some(_) => Kind::Comment,
                    None => Kind::Like,
                },
                user: self.world.user(did.user.into()),
                post: post.id,
                at: did.at,
            },
            removed: did.removed,
            comment: comment.map(|number| (post.number, number as usize)),
        }
    }
}

/// Places of what users did, user by user, and where each begins; one more says where all end.
fn sorted_by_user(users: usize, did: &[Did]) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0; users + 1];
    for act in did {
        starts[act.user as usize + 1] += 1;
    }
    for user in 0..users {
        starts[user + 1] += starts[user];
    }
    let mut next = starts.clone();
    let mut places = vec![0; did.len()];
    for (place, act) in (0..).zip(did) {
        let next = &mut next[act.user as usize];
        places[*next as usize] = place;
        *next += 1;
    }
    (places, starts)
}
