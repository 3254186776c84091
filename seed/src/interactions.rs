//! Likes and comments in short, for whoever needs all of them at once: a few bytes each, and no
//! text.

use uuid::Uuid;

use crate::acts::Acts;
use crate::blocks::Segment;
use crate::ids::Kind;
use crate::rhythm::SECOND;
use crate::rows::Post;
use crate::world::World;

/// A post with the likes and comments ever given to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interacted {
    /// The post.
    pub post: Uuid,
    /// Its number: what the ids of its comments follow from (see [`World::comment`]).
    pub number: u64,
    /// When it was made, seconds since 1970.
    pub created_at: u32,
    /// Whether its row was deleted. One that is hidden still has a row.
    pub deleted: bool,
    /// Its likes.
    pub likes: Vec<Interaction>,
    /// Its comments, in order of their numbers.
    pub comments: Vec<Interaction>,
}

/// A like, or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction {
    /// Number of the user (see [`World::user`]).
    pub user: u32,
    /// When, in seconds since 1970.
    pub at: u32,
    /// Whether its row was deleted, as that of a withdrawn like is.
    pub removed: bool,
}

impl World {
    /// All posts of the `index`-th user with their likes and comments, those whose rows were
    /// deleted included: what the change feeds come to.
    pub fn interactions(&self, index: u64) -> Vec<Interacted> {
        let author = self.author(index);
        let segments = self.author_segments(author.index);
        segments
            .flat_map(|segment| self.segment_interactions(&segment))
            .collect()
    }

    fn segment_interactions(&self, segment: &Segment) -> Vec<Interacted> {
        let posts = self.segment_posts(segment);
        let acts = self.acts(segment.entity, segment.first, &posts);
        let (deleted, deleted_acts) = self.deleted_acts(segment, &posts);
        let standing = posts
            .iter()
            .zip(acts)
            .map(|(post, acts)| in_short(post, false, &acts));
        let gone = deleted
            .iter()
            .zip(deleted_acts)
            .map(|((post, _), acts)| in_short(post, true, &acts));
        standing.chain(gone).collect()
    }

    /// The id of the `number`-th comment of the post of that number.
    pub fn comment(&self, post: u64, number: usize) -> Uuid {
        self.comment_id(post, number)
    }

    /// Whom the `index`-th user follows.
    pub fn followees(&self, index: u64) -> Vec<Uuid> {
        let follows = self.follows_of((index % self.users()) as u32).into_iter();
        follows
            .filter(|follow| follow.removed_at.is_none())
            .map(|follow| self.ids.id(Kind::User, follow.following.into()))
            .collect()
    }
}

fn in_short(post: &Post, deleted: bool, acts: &Acts) -> Interacted {
    let short = |user, time: i64, removed: Option<i64>| Interaction {
        user,
        at: (time / SECOND) as u32,
        removed: removed.is_some(),
    };
    Interacted {
        post: post.id,
        number: post.number,
        created_at: post.created_at.timestamp() as u32,
        deleted,
        likes: acts
            .likes
            .iter()
            .map(|like| short(like.user, like.time, like.removed))
            .collect(),
        comments: acts
            .comments
            .iter()
            .map(|comment| short(comment.user, comment.time, comment.removed))
            .collect(),
    }
}
