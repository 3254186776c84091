//! Who likes a post and who comments on it, when, and for how long: users by number and times
//! in microseconds since 1970, before any of it is written out.

use std::ops::Range;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};

use crate::distribution::exponential;
use crate::rhythm::{DAY, HOUR, NOW, SECOND};
use crate::rows::{Post, PostStatus};
use crate::stream::Aspect;
use crate::world::World;

/// Shares of an event's kinds; the rest are views.
const LIKES: f64 = 0.40;
const COMMENTS: f64 = 0.12;
/// Spread of posts of one author: the standard deviation of the logarithm.
const SPREAD: f64 = 1.2;
/// The share of withdrawn likes that are given again.
const AGAIN: f64 = 0.3;
/// Numbers of likes that are given again begin here within a post's.
const SECOND_LIKES: u64 = 1 << 23;

/// What is done to one post.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    pub(crate) likes: Vec<Liked>,
    /// In order of time.
    pub(crate) comments: Vec<Commented>,
    /// The mean number of views.
    pub(crate) views: f64,
}

#[derive(Debug)]
pub(crate) struct Liked {
    /// Number among the likes of its post.
    pub(crate) number: u64,
    pub(crate) user: u32,
    pub(crate) time: i64,
    pub(crate) removed: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Commented {
    pub(crate) user: u32,
    pub(crate) time: i64,
    /// Words in it.
    pub(crate) words: usize,
    /// Which of the post's comments it answers.
    pub(crate) parent: Option<usize>,
    pub(crate) hidden: Option<i64>,
    pub(crate) removed: Option<i64>,
}

impl World {
    /// What is done to posts of one author, by streams of the block's number.
    pub(crate) fn acts(&self, author: u32, block: u64, posts: &[Post]) -> Vec<Acts> {
        let stream = |aspect| self.stream(aspect, block);
        let mut attention = stream(Aspect::ATTENTION);
        let mut likes = stream(Aspect::LIKES);
        let mut comments = stream(Aspect::COMMENTS);
        let mut seen = Users(vec![0; (self.sizes.users as usize).div_ceil(64)]);
        let acts = |post: &Post| {
            // Mean 1 whatever the spread.
            let z: f64 = StandardNormal.sample(&mut attention);
            let luck = (SPREAD * z - SPREAD * SPREAD / 2.0).exp();
            if post.status != PostStatus::Published {
                return Acts::default();
            }
            let mean = self.attention(author) * luck;
            Acts {
                likes: self.liked(author, post, mean * LIKES, &mut likes, &mut seen),
                comments: self.commented(author, post, mean * COMMENTS, &mut comments),
                views: mean * (1.0 - LIKES - COMMENTS),
            }
        };
        posts.iter().map(acts).collect()
    }

    fn liked(
        &self,
        author: u32,
        post: &Post,
        mean: f64,
        random: &mut impl Rng,
        seen: &mut Users,
    ) -> Vec<Liked> {
        seen.clear();
        let mut likes = Vec::new();
        for number in 0..poisson(random, mean).min(self.users() / 2) {
            let user = self.reader(author, random);
            let time = decay(post, random);
            let removed = time + SECOND + exponential(random, DAY as f64) as i64;
            let removed = (random.random_bool(0.05) && removed < NOW).then_some(removed);
            // Whoever has liked already, or will after the world's clock, does not.
            if time >= NOW || !seen.insert(user) {
                continue;
            }
            likes.push(Liked {
                number,
                user,
                time,
                removed,
            });
            let Some(removed) = removed else { continue };
            // At least a second later, by which the change feed tells them apart.
            let again = removed + SECOND + exponential(random, HOUR as f64) as i64;
            let given_again = random.random_bool(AGAIN) && again < NOW;
            let removed = again + SECOND + exponential(random, DAY as f64) as i64;
            let removed = (random.random_bool(0.1) && removed < NOW).then_some(removed);
            if given_again {
                likes.push(Liked {
                    number: SECOND_LIKES + number,
                    user,
                    time: again,
                    removed,
                });
            }
        }
        likes
    }

    fn commented(
        &self,
        author: u32,
        post: &Post,
        mean: f64,
        random: &mut impl Rng,
    ) -> Vec<Commented> {
        let count = poisson(random, mean) as usize;
        let times = (0..count).map(|_| decay(post, random));
        let mut times: Vec<_> = times.filter(|&time| time < NOW).collect();
        times.sort_unstable();
        let mut comments: Vec<Commented> = Vec::with_capacity(times.len());
        for time in times {
            let user = self.reader(author, random);
            let words = random.random_range(1..=12);
            let answered = random.random_bool(0.25) && !comments.is_empty();
            let parent = answered.then(|| random.random_range(0..comments.len()));
            let gone = time + SECOND + exponential(random, DAY as f64) as i64;
            // Hidden, or now and then deleted for good.
            let fate = random.random_range(0..1_000);
            let gone_if = |fates: Range<u32>| (fates.contains(&fate) && gone < NOW).then_some(gone);
            let comment = Commented {
                user,
                time,
                words,
                // What is deleted for good has no answers.
                parent: parent.filter(|&parent| comments[parent].removed.is_none()),
                hidden: gone_if(0..40),
                removed: gone_if(40..48),
            };
            comments.push(comment);
        }
        comments
    }

    /// Who comes across an author's post: mostly the same people around the author, who
    /// also follow (see `people`), and active users at large.
    pub(crate) fn reader(&self, author: u32, random: &mut impl Rng) -> u32 {
        if random.random_bool(0.7) {
            self.neighbour(author, random)
        } else {
            self.activity().sample(random)
        }
    }
}

impl Acts {
    /// What is left of it once the post's row is deleted at an instant, which takes the rows of
    /// its likes and comments along. Nothing is done to a post in its last second, so that the
    /// change feed's versions are in order.
    pub(crate) fn deleted(mut self, time: i64) -> Self {
        let last = time - SECOND;
        self.likes.retain(|like| like.time < last);
        // Later ones are the last of the list, so that answers still find what they answer.
        self.comments.retain(|comment| comment.time < last);
        let gone = |removed: Option<i64>| Some(removed.map_or(time, |at| at.min(time)));
        for like in &mut self.likes {
            like.removed = gone(like.removed);
        }
        for comment in &mut self.comments {
            comment.removed = gone(comment.removed);
            comment.hidden = comment.hidden.filter(|&hidden| hidden < last);
        }
        self
    }
}

/// A set of users: a bit each, which is quicker than hashing them.
struct Users(Vec<u64>);

impl Users {
    fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Whether it was not there before.
    fn insert(&mut self, user: u32) -> bool {
        let (word, bit) = (&mut self.0[user as usize / 64], 1 << (user % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// When a post is met: mostly within hours, some over days.
pub(crate) fn decay(post: &Post, random: &mut impl Rng) -> i64 {
    let mean = if random.random_bool(0.7) {
        8 * HOUR
    } else {
        4 * DAY
    };
    let delay = SECOND as f64 + exponential(random, mean as f64);
    post.created_at.timestamp_micros() + delay as i64
}

/// A count with the given mean, at least 0.
pub(crate) fn poisson(random: &mut impl Rng, mean: f64) -> u64 {
    // A mean of 0, of an author without attention, has no distribution.
    match Poisson::new(mean) {
        Ok(distribution) => distribution.sample(random) as u64,
        Err(_) => 0,
    }
}
