//! What ClickHouse's tables come to: posts, and the likes and comments that stand, as the
//! generator made them.
//!
//! Rows are keyed as the change feeds are: a like by user, post and second, a comment and a post
//! by id. What stands is what the newest version of a key says; how often it arrived, and in
//! which order, makes no difference. A hidden post or comment still stands: only the deletion of
//! a row is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;
use verdict_seed::{Cut, World};

mod known;
mod told;

pub(crate) use known::Known;
pub use told::Event;
pub(crate) use told::Told;

const DAY: u32 = 86_400;
const HOUR: u32 = 3_600;

/// Seconds since 1970, as ClickHouse's `DateTime` holds them.
pub type Second = u32;

/// A post as the views see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostFacts {
    /// Who made it.
    pub author: Uuid,
    /// When.
    pub created_at: Second,
    /// Whether its row was deleted.
    pub deleted: bool,
}

/// Likes and comments that stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Likes.
    pub likes: u64,
    /// Comments.
    pub comments: u64,
}

impl Counts {
    /// Their sum, each weighed.
    pub fn weighed(self, like: f64, comment: f64) -> f64 {
        self.likes as f64 * like + self.comments as f64 * comment
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Like => self.likes += 1,
            Kind::Comment => self.comments += 1,
        }
    }
}

/// What a user has to do with an author: likes and comments that stand, on posts that are known
/// and whose rows were not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Affinity {
    /// The author.
    pub author: Uuid,
    /// Likes and comments.
    pub counts: Counts,
    /// When the last of them was.
    pub last: Second,
}

/// A like or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A like.
    Like,
    /// A comment.
    Comment,
}

/// A like or a comment that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Which of both.
    pub kind: Kind,
    /// Who did it.
    pub user: Uuid,
    /// To which post.
    pub post: Uuid,
    /// When.
    pub at: Second,
}

/// The events of a world, or of a part of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    known: Arc<Known>,
    told: Arc<Told>,
    cut: Cut,
}

impl Events {
    pub(crate) fn new(known: Arc<Known>, told: Arc<Told>, cut: Cut) -> Self {
        Self { known, told, cut }
    }

    /// The part of the world that they are of.
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// The world's clock less so many days: the second that a window of them begins with.
    pub fn days_ago(&self, days: u32) -> Second {
        self.world().clock().timestamp() as Second - days * DAY
    }

    fn world(&self) -> &World {
        self.known.world()
    }

    /// A post; `None` when nobody has the id, or it is not in this part.
    pub fn post(&self, id: Uuid) -> Option<PostFacts> {
        if !self.cut.keeps(id) {
            return None;
        }
        self.told.post(id).or_else(|| self.known.post(id))
    }

    /// Every post, deleted ones included.
    pub fn posts(&self) -> impl Iterator<Item = (Uuid, PostFacts)> {
        let told = self.told.posts();
        let known = self
            .known
            .posts()
            .filter(|(id, _)| self.told.post(*id).is_none());
        known.chain(told).filter(|(id, _)| self.cut.keeps(*id))
    }

    /// What a user did that stands, in no order, on posts of every kind.
    pub fn by_user(&self, user: Uuid) -> Vec<Done> {
        let known = self.known.by_user(user);
        self.standing(known, |done| done.user == user)
    }

    /// What was done to a post and stands, in no order.
    pub fn on_post(&self, post: Uuid) -> Vec<Done> {
        if !self.cut.keeps(post) {
            return Vec::new();
        }
        let known = self.known.on_post(post);
        self.standing(known, |done| done.post == post)
    }

    fn standing(
        &self,
        known: impl Iterator<Item = known::Act>,
        wanted: impl Fn(&Done) -> bool,
    ) -> Vec<Done> {
        let known = known.filter(|act| {
            !act.removed && self.cut.keeps(act.done.post) && !self.told.replaces(self.world(), act)
        });
        let told = self
            .told
            .standing()
            .filter(|done| self.cut.keeps(done.post) && wanted(done));
        known.map(|act| act.done).chain(told).collect()
    }

    /// What a user has to do with every author since a second, by the author's id; only those
    /// with something that stands.
    pub fn affinity(&self, user: Uuid, since: Second) -> Vec<Affinity> {
        let mut by_author: BTreeMap<Uuid, Affinity> = BTreeMap::new();
        for done in self.by_user(user) {
            let Some(post) = self.post(done.post).filter(|post| !post.deleted) else {
                continue;
            };
            if done.at < since {
                continue;
            }
            let affinity = by_author.entry(post.author).or_insert(Affinity {
                author: post.author,
                counts: Counts::default(),
                last: done.at,
            });
            affinity.counts.add(done.kind);
            affinity.last = affinity.last.max(done.at);
        }
        by_author.into_values().collect()
    }

    /// What was done to a post by the hour, by the hour's first second; only hours in which
    /// something stands. Nothing where the post's row was deleted; a post that nobody has heard
    /// of yet has its own.
    pub fn by_hour(&self, post: Uuid) -> BTreeMap<Second, Counts> {
        let mut hours: BTreeMap<Second, Counts> = BTreeMap::new();
        if self.post(post).is_some_and(|post| post.deleted) {
            return hours;
        }
        for done in self.on_post(post) {
            hours
                .entry(done.at - done.at % HOUR)
                .or_default()
                .add(done.kind);
        }
        hours
    }

    /// Likes and comments of a post since a second, whether it was deleted or not.
    pub fn counts(&self, post: Uuid, since: Second) -> Counts {
        let mut counts = Counts::default();
        for done in self.on_post(post) {
            if done.at >= since {
                counts.add(done.kind);
            }
        }
        counts
    }

    /// Whom a user follows; nobody where nobody has the id.
    pub fn followees(&self, user: Uuid) -> Vec<Uuid> {
        match self.known.user(user) {
            Some(index) => self.world().followees(index.into()),
            None => Vec::new(),
        }
    }
}
