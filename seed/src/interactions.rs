//! Likes and comments in short, for whoever needs all of them at once: a few bytes each, and no
//! text.

use uuid::Uuid;

use crate::acts::Acts;
use crate::attention::EVENT_DAYS;
use crate::blocks::Segment;
use crate::engagement::deleted_block;
use crate::ids::Kind;
use crate::rhythm::{DAY, NOW, SECOND};
use crate::rows::{Post, View};
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

    /// When anything was done to each post of the `index`-th user that `post_events` still keeps,
    /// in seconds since 1970, in no order.
    pub fn happenings(&self, index: u64) -> Vec<(Uuid, Vec<u32>)> {
        let author = self.author(index);
        let segments = self.author_segments(author.index);
        segments
            .flat_map(|segment| self.segment_happenings(&segment))
            .collect()
    }

    fn segment_happenings(&self, segment: &Segment) -> Vec<(Uuid, Vec<u32>)> {
        let kept = NOW - i64::from(EVENT_DAYS) * DAY;
        let posts = self.segment_posts(segment);
        let acts = self.acts(segment.entity, segment.first, &posts);
        let (deleted, deleted_acts) = self.deleted_acts(segment, &posts);
        let standing = self.segment_views(segment.entity, segment.first, &posts, &acts);
        let gone: Vec<Post> = deleted.iter().map(|(post, _)| post.clone()).collect();
        let mut gone_views =
            self.segment_views(segment.entity, deleted_block(segment), &gone, &deleted_acts);
        for (views, (_, deleted)) in gone_views.iter_mut().zip(&deleted) {
            views.retain(|view| view.at < *deleted);
        }
        let times = |((post, acts), views): ((&Post, &Acts), Vec<View>)| {
            let likes = acts.likes.iter().map(|like| like.time);
            let comments = acts.comments.iter().map(|comment| comment.time);
            let views = views.iter().map(|view| view.at.timestamp_micros());
            let times = likes.chain(comments).chain(views);
            let times = times.filter(|time| *time >= kept);
            (post.id, times.map(|time| (time / SECOND) as u32).collect())
        };
        let standing = posts.iter().zip(&acts).zip(standing).map(times);
        let gone = gone.iter().zip(&deleted_acts).zip(gone_views).map(times);
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
