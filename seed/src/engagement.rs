//! Likes, comments and views, which decay after a post is published.

use std::collections::HashSet;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};

use crate::blocks::Segment;
use crate::distribution::exponential;
use crate::ids::Kind;
use crate::rhythm::{DAY, HOUR, NOW, SECOND, at};
use crate::rows::{Author, Comment, Engagement, Like, Post, PostStatus, View};
use crate::stream::Aspect;
use crate::world::World;

/// Shares of an event's kinds; the rest are views.
const LIKES: f64 = 0.30;
const COMMENTS: f64 = 0.08;
/// Spread of posts of one author: the standard deviation of the logarithm.
const SPREAD: f64 = 1.2;

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
