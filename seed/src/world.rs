//! A world: sizes and popularity of everything in it; rows follow on demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use uuid::Uuid;

use crate::attention::attention;
use crate::distribution::{Counts, Weights, pareto};
use crate::ids::{Ids, Kind};
use crate::rhythm::{DAY, NOW, at};
use crate::spec::{Sizes, WorldSpec};
use crate::stream::{Aspect, stream};
use crate::words::Vocabulary;

/// A seeded world. Cheap to make and to clone: it holds a few bytes for each user and each
/// conversation, and none for their rows.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) spec: WorldSpec,
    pub(crate) sizes: Sizes,
    pub(crate) ids: Ids,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    vocabulary: Vocabulary,
    /// Messages of each conversation; the ladder comes first.
    messages: Counts,
    /// Posts of each user; the ladder's authors come first.
    posts: Counts,
    /// How much a user writes, likes and follows.
    activity: Weights,
    /// How much a user is followed.
    popularity: Weights,
    /// Popularity of those who have posted.
    authors: Weights,
    /// Mean engagement of a post of each author.
    attention: Vec<f32>,
}

impl World {
    /// The world of a spec. Reads and writes nothing.
    pub fn new(spec: WorldSpec) -> Self {
        let sizes = spec.sizes();
        let draw = |aspect| stream(spec.seed, aspect, 0);
        let users = sizes.users as usize;

        let heavy = |aspect, alpha| {
            let mut random: ChaCha8Rng = draw(aspect);
            // Nobody outweighs half of all others together.
            let top = users as f64 / 2.0;
            Weights::new((0..users).map(move |_| pareto(&mut random, alpha).min(top)))
        };
        let popularity = heavy(Aspect::POPULARITY, 1.2);
        let activity = heavy(Aspect::ACTIVITY, 1.6);
        let messages = conversation_sizes(&sizes, &mut draw(Aspect::CONVERSATION_SIZES));
        let posts = post_counts(&sizes, &mut draw(Aspect::POST_COUNTS));
        let authors = Weights::new((0..sizes.users).map(|user| {
            let posted = posts.of(user) > 0;
            if posted { popularity.of(user) } else { 0.0 }
        }));
        let attention = attention(&sizes, &posts, &popularity);

        Self {
            ids: Ids::new(spec.seed),
            sizes,
            shared: Arc::new(Shared {
                vocabulary: Vocabulary::new(),
                messages,
                posts,
                activity,
                popularity,
                authors,
                attention,
            }),
            spec,
        }
    }

    /// What the world follows from.
    pub fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// The world's "now", 2025-10-29T00:00:00Z; every timestamp in it lies before.
    pub fn clock(&self) -> DateTime<Utc> {
        at(NOW)
    }

    /// How many users there are.
    pub fn users(&self) -> u64 {
        self.sizes.users.into()
    }

    /// The id of the `index`-th user; `index` wraps around at [`users`](Self::users).
    pub fn user(&self, index: u64) -> Uuid {
        self.ids.id(Kind::User, index % self.users())
    }

    /// How many conversations there are.
    pub fn conversations(&self) -> u64 {
        self.messages_by_conversation().entities().into()
    }

    /// How many messages there are, deleted and recalled ones included.
    pub fn total_messages(&self) -> u64 {
        self.messages_by_conversation().total()
    }

    /// How many posts there are, deleted and unpublished ones included.
    pub fn total_posts(&self) -> u64 {
        self.posts_by_author().total()
    }

    /// How large it is, by what is counted; `ladder` is its longest rung.
    pub fn census(&self) -> BTreeMap<String, u64> {
        let ladder = self.sizes.ladder.iter().max();
        [
            ("users", self.users()),
            ("days", self.sizes.days.into()),
            ("conversations", self.conversations()),
            ("messages", self.total_messages()),
            ("posts", self.total_posts()),
            ("events", self.sizes.events),
            ("ladder", ladder.copied().unwrap_or_default().into()),
        ]
        .map(|(name, size)| (name.to_owned(), size))
        .into()
    }

    pub(crate) fn stream(&self, aspect: Aspect, block: u64) -> ChaCha8Rng {
        stream(self.spec.seed, aspect, block)
    }

    /// The first instant of the history, in microseconds since 1970.
    pub(crate) fn beginning(&self) -> i64 {
        NOW - i64::from(self.sizes.days) * DAY
    }

    pub(crate) fn user_id(&self, index: u32) -> Uuid {
        self.ids.id(Kind::User, index.into())
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.shared.vocabulary
    }

    pub(crate) fn messages_by_conversation(&self) -> &Counts {
        &self.shared.messages
    }

    pub(crate) fn posts_by_author(&self) -> &Counts {
        &self.shared.posts
    }

    pub(crate) fn activity(&self) -> &Weights {
        &self.shared.activity
    }

    /// Popularity of those who have posted.
    pub(crate) fn authors(&self) -> &Weights {
        &self.shared.authors
    }

    pub(crate) fn popularity(&self) -> &Weights {
        &self.shared.popularity
    }

    /// A user near another, as friends and regular readers are: the nearer, the likelier.
    pub(crate) fn neighbour(&self, of: u32, random: &mut impl Rng) -> u32 {
        let others = f64::from(self.sizes.users - 1);
        let distance = 1 + (others * random.random::<f64>().powi(3)) as u32;
        ((u64::from(of) + u64::from(distance)) % self.users()) as u32
    }

    /// Mean number of likes, comments and views of a published post of this author.
    pub(crate) fn attention(&self, author: u32) -> f64 {
        self.shared.attention[author as usize].into()
    }
}

/// From two messages to thousands: log-normal with median 12 and mean 43, until the scale's
/// messages are spent.
fn conversation_sizes(sizes: &Sizes, random: &mut ChaCha8Rng) -> Counts {
    let ladder: u64 = sizes.ladder.iter().map(|&n| u64::from(n)).sum();
    // A world of few users still has conversations beside the ladder.
    let least = u64::from(sizes.users) * 10;
    let mut left = sizes.messages.saturating_sub(ladder).max(least);
    let ordinary = log_normal(12.0_f64.ln(), 1.6);
    let mut counts: Vec<u64> = sizes.ladder.iter().map(|&n| n.into()).collect();
    while left > 0 {
        let size = (ordinary.sample(random) as u64).clamp(2, 9_000);
        // The last conversation takes what is left, so that none has a single message.
        let size = if left < size + 2 { left } else { size };
        counts.push(size);
        left -= size;
    }
    Counts::new(counts)
}

/// Most users post little or nothing, a few post a lot; the total is exact.
fn post_counts(sizes: &Sizes, random: &mut ChaCha8Rng) -> Counts {
    let rungs = sizes.ladder.len();
    let ladder: u64 = sizes.ladder.iter().map(|&n| u64::from(n)).sum();
    let budget = sizes
        .posts
        .saturating_sub(ladder)
        .max(u64::from(sizes.users));
    let ordinary = log_normal(0.0, 1.5);
    let weights = Weights::new((rungs..sizes.users as usize).map(|_| ordinary.sample(random)));
    let mut share = 0.0;
    let mut before = 0;
    let ordinary = (0..sizes.users - rungs as u32).map(|user| {
        share += weights.of(user);
        let end = (share / weights.total() * budget as f64).round() as u64;
        let count = end - before;
        before = end;
        count
    });
    let ladder = sizes.ladder.iter().map(|&n| u64::from(n));
    Counts::new(ladder.chain(ordinary))
}

#[expect(
    clippy::expect_used,
    reason = "only a negative or infinite sigma is refused"
)]
fn log_normal(mu: f64, sigma: f64) -> LogNormal<f64> {
    LogNormal::new(mu, sigma).expect("sigma is a positive constant")
}
