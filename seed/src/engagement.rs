//! Likes, comments and views, which decay after a post is published.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};
use uuid::Uuid;

use crate::blocks::Segment;
use crate::distribution::{Counts, Weights, exponential};
use crate::ids::Kind;
use crate::posts::{Author, JOINING, Post, PostStatus};
use crate::rhythm::{DAY, HOUR, NOW, SECOND, at, later};
use crate::spec::Sizes;
use crate::stream::Aspect;
use crate::world::World;

/// How long `post_events` is kept, days.
pub(crate) const EVENT_DAYS: u32 = 90;

/// Shares of an event's kinds; the rest are views.
const LIKES: f64 = 0.30;
const COMMENTS: f64 = 0.08;
/// Spread of posts of one author: the standard deviation of the logarithm.
const SPREAD: f64 = 1.2;

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

/// Mean engagement of a post of each author: popular authors have more, those who post a
/// lot have less for each post, and the last 90 days come to the scale's events.
pub(crate) fn attention(sizes: &Sizes, posts: &Counts, popularity: &Weights) -> Vec<f32> {
    let raw: Vec<f64> = (0..sizes.users)
        .map(|user| popularity.of(user).sqrt() / (1.0 + posts.of(user) as f64 / 50.0).powf(0.3))
        .collect();
    let each = (0..)
        .zip(&raw)
        .map(|(user, raw)| raw * posts.of(user) as f64);
    let total: f64 = each.sum();
    let budget = sizes.events as f64 / share_of_last_days(sizes.days);
    raw.iter()
        .map(|raw| (raw * budget / total) as f32)
        .collect()
}

/// The share of all posts that lies within the last 90 days, as authors join uniformly
/// over the first four fifths of the history and then post evenly to its end.
fn share_of_last_days(days: u32) -> f64 {
    let window = (f64::from(EVENT_DAYS) / f64::from(days)).min(1.0);
    let cut = 1.0 - window;
    let before = window * (1.0 / (1.0 - cut.min(JOINING))).ln();
    (before + (JOINING - cut).max(0.0)) / JOINING
}

impl World {
    /// What became of each of an author's posts, in the order of [`posts`](Self::posts).
    pub fn engagement(&self, author: &Author) -> Vec<Engagement> {
        self.author_segments(author.index)
            .flat_map(|segment| self.segment_engagement(&segment, &self.segment_posts(&segment)))
            .collect()
    }

    pub(crate) fn segment_engagement(&self, segment: &Segment, posts: &[Post]) -> Vec<Engagement> {
        let stream = |aspect| self.stream(aspect, segment.first);
        let mut attention = stream(Aspect::ATTENTION);
        let mut likes = stream(Aspect::LIKES);
        let mut comments = stream(Aspect::COMMENTS);
        let mut views = stream(Aspect::VIEWS);
        let author = segment.entity;
        let mut seen = HashSet::new();
        let engagement = |post: &Post| {
            // Mean 1 whatever the spread.
            let z: f64 = StandardNormal.sample(&mut attention);
            let luck = (SPREAD * z - SPREAD * SPREAD / 2.0).exp();
            if post.status != PostStatus::Published {
                return Engagement::default();
            }
            let mean = self.attention(author) * luck;
            Engagement {
                likes: self.likes(author, post, mean * LIKES, &mut likes, &mut seen),
                comments: self.comments(author, post, mean * COMMENTS, &mut comments),
                views: self.views(author, post, mean * (1.0 - LIKES - COMMENTS), &mut views),
            }
        };
        posts.iter().map(engagement).collect()
    }

    fn likes(
        &self,
        author: u32,
        post: &Post,
        mean: f64,
        random: &mut impl Rng,
        seen: &mut HashSet<u32>,
    ) -> Vec<Like> {
        seen.clear();
        let mut likes = Vec::new();
        for k in 0..poisson(random, mean).min(self.users() / 2) {
            let user = self.reader(author, random);
            let time = decay(post, random);
            let removed = SECOND as f64 + exponential(random, DAY as f64);
            let removed = random.random_bool(0.05).then_some(removed as i64);
            // Whoever has liked already, or will after the world's clock, does not.
            if time >= NOW || !seen.insert(user) {
                continue;
            }
            likes.push(Like {
                id: self.ids.id(Kind::Like, (post.number << 24) + k),
                user: self.user_id(user),
                created_at: at(time),
                removed_at: removed.map(|r| time + r).filter(|&r| r < NOW).map(at),
            });
        }
        likes
    }

    fn comments(&self, author: u32, post: &Post, mean: f64, random: &mut impl Rng) -> Vec<Comment> {
        let count = poisson(random, mean) as usize;
        let times = (0..count).map(|_| decay(post, random));
        let mut times: Vec<_> = times.filter(|&time| time < NOW).collect();
        times.sort_unstable();
        let mut comments: Vec<Comment> = Vec::with_capacity(times.len());
        for (k, time) in (0..).zip(times) {
            let user = self.reader(author, random);
            let words = random.random_range(1..=12);
            let answered = random.random_bool(0.25) && !comments.is_empty();
            let parent = answered.then(|| comments[random.random_range(0..comments.len())].id);
            let gone = SECOND as f64 + exponential(random, DAY as f64);
            let gone = random.random_bool(0.04).then(|| time + gone as i64);
            comments.push(Comment {
                id: self.ids.id(Kind::Comment, (post.number << 24) + k),
                user: self.user_id(user),
                parent,
                content: self.vocabulary().text(random, words),
                created_at: at(time),
                soft_delete: gone.filter(|&time| time < NOW).map(at),
            });
        }
        comments
    }

    fn views(&self, author: u32, post: &Post, mean: f64, random: &mut impl Rng) -> Vec<View> {
        (0..poisson(random, mean))
            .map(|_| (self.reader(author, random), decay(post, random)))
            .filter(|&(_, time)| time < NOW)
            .map(|(user, time)| View {
                user: self.user_id(user),
                at: at(time),
            })
            .collect()
    }

    /// Who comes across an author's post: mostly the same people around the author, who
    /// also follow (see `people`), and active users at large.
    fn reader(&self, author: u32, random: &mut impl Rng) -> u32 {
        if random.random_bool(0.7) {
            self.neighbour(author, random)
        } else {
            self.activity().sample(random)
        }
    }
}

/// When a post is met: mostly within hours, some over days.
fn decay(post: &Post, random: &mut impl Rng) -> i64 {
    let mean = if random.random_bool(0.7) {
        8 * HOUR
    } else {
        4 * DAY
    };
    let delay = SECOND as f64 + exponential(random, mean as f64);
    post.created_at.timestamp_micros() + delay as i64
}

/// A count with the given mean, at least 0.
fn poisson(random: &mut impl Rng, mean: f64) -> u64 {
    // A mean of 0, of an author without attention, has no distribution.
    match Poisson::new(mean) {
        Ok(distribution) => distribution.sample(random) as u64,
        Err(_) => 0,
    }
}

/// How the change feed brings one version of a row: when, and of when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Delivery {
    /// When it arrives, microseconds since 1970.
    pub(crate) arrival: i64,
    /// Which row of the segment it is about.
    pub(crate) row: usize,
    /// When the change was made, milliseconds since 1970: the version.
    pub(crate) version: u64,
    /// Whether the row was deleted.
    pub(crate) deleted: bool,
}

/// Adds a change made at `time` (microseconds since 1970) to a feed. One in fifty arrives
/// twice; one in fifty arrives up to two days late, perhaps after what came of it.
pub(crate) fn deliver(
    feed: &mut Vec<Delivery>,
    row: usize,
    time: i64,
    deleted: bool,
    random: &mut impl Rng,
) {
    let lag = random.random_range(50_000..500_000);
    let late = if random.random_bool(0.02) {
        random.random_range(0..2 * DAY)
    } else {
        0
    };
    let delivery = Delivery {
        arrival: time + lag + late,
        row,
        version: ((time + lag) / 1_000) as u64,
        deleted,
    };
    feed.push(delivery);
    if random.random_bool(0.02) {
        let arrival = later(delivery.arrival, exponential(random, HOUR as f64));
        feed.push(Delivery {
            arrival,
            ..delivery
        });
    }
}
