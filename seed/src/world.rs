//! A world: sizes and popularity of everything in it; rows follow on demand.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use uuid::Uuid;

use crate::conversations::Conversation;
use crate::distribution::{Counts, Weights, pareto};
use crate::engagement;
use crate::ids::{Ids, Kind};
use crate::posts::Author;
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
        let attention = engagement::attention(&sizes, &posts, &popularity);

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

    /// The `index`-th conversation; `index` wraps around at
    /// [`conversations`](Self::conversations).
    pub fn conversation(&self, index: u64) -> Conversation {
        Conversation::new(self, (index % self.conversations()) as u32)
    }

    /// The `index`-th user as an author, of no posts perhaps; `index` wraps around at
    /// [`users`](Self::users).
    pub fn author(&self, index: u64) -> Author {
        Author::new(self, (index % self.users()) as u32)
    }

    /// Group conversations of exactly 100, 1 000, 10 000 and 100 000 messages, as far as
    /// the scale goes, ascending. Deleted and recalled messages are in the count.
    pub fn ladder_conversations(&self) -> Vec<Conversation> {
        (0..self.sizes.ladder.len() as u32)
            .map(|index| Conversation::new(self, index))
            .collect()
    }

    /// Authors of exactly as many posts as the ladder has messages, ascending. Deleted and
    /// unpublished posts are in the count.
    pub fn ladder_authors(&self) -> Vec<Author> {
        (0..self.sizes.ladder.len() as u32)
            .map(|index| Author::new(self, index))
            .collect()
    }

    /// A conversation with probability in proportion to its messages: what a send, or a
    /// look at a history, meets.
    pub fn sample_conversation(&self, random: &mut impl Rng) -> Conversation {
        Conversation::new(self, self.messages_by_conversation().sample(random))
    }

    /// An author with at least one post, with probability in proportion to popularity,
    /// which is also what followers choose by.
    pub fn sample_author(&self, random: &mut impl Rng) -> Author {
        Author::new(self, self.shared.authors.sample(random))
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

    pub(crate) fn popularity(&self) -> &Weights {
        &self.shared.popularity
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
