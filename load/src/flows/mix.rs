//! All of the service's operations at once, as audit.toml weighs them: with the cache of the
//! optimized side, and past it.
//!
//! What is sent goes to conversations that nothing else of the mix shows, so that messages which
//! are on their way make no other answer right; all else that is written makes one right that is
//! asked for.

mod conversation;
mod conversations;
mod post;
mod search;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{Catalogue, FlowId, Part, Side};
use verdict_oracle::write::{Kind, Rows};
use verdict_oracle::{Oracle, Write};

use self::conversation::Conversation;
use self::conversations::Conversations;
use self::post::Post;
use self::search::Search;
use super::call::Call;
use super::feed::Feed;
use super::history::History;
use super::keeper::{Keeper, Sending};
use super::posts::Posts;
use super::send::Send;
use super::{Flow, Lacking};
use crate::moments::{Truth, into};

/// Conversations or posts drawn by popularity; what is drawn twice is asked for twice as often.
const DRAWS: usize = 256;

/// Conversations that are sent to, at most: the rest has to be enough to be shown.
const SENT_TO: usize = 16;

/// Draws in search of them.
const TRIES: usize = 5_000;

/// Requests over every parameter.
const VARIED: usize = 64;

/// Messages of a conversation that is written to, at most: what is right has to be made of all of
/// its rows each time.
const CHANGED: u64 = 3_000;

/// The flow.
#[derive(Debug)]
pub(super) struct Mix {
    id: FlowId,
    about: String,
    send: Send,
    history: History,
    search: Search,
    post: Post,
    feed: Feed,
    page: Posts,
    conversation: Conversation,
    conversations: Conversations,
}

impl Mix {
    pub(super) fn new(id: FlowId, truth: &Truth, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        let send = Send::into(truth, SENT_TO, random)?;
        let sent_to: HashSet<Uuid> = send.conversations().collect();
        let mut about = String::from("of all requests");
        for share in &Catalogue::builtin().mix {
            write!(about, " {} % {},", share.weight, share.of).unwrap_or_default();
        }
        about += match id {
            FlowId::MixUncached => " the optimized side without its cache; messages are sent ",
            _ => {
                " posts and conversations of the optimized side out of its cache; messages are sent "
            }
        };
        about += send.about();
        Ok(Self {
            id,
            about,
            history: History::without(truth, &sent_to, random)?,
            search: Search::new(truth, &sent_to, random)?,
            conversation: Conversation::new(truth, &sent_to, random)?,
            conversations: Conversations::new(truth, &sent_to, random)?,
            post: Post::new(truth, random),
            feed: Feed::new(truth, random)?,
            page: Posts::new(truth, random)?,
            send,
        })
    }

    fn part(&self, part: Part) -> &dyn Flow {
        match part {
            Part::Feed => &self.feed,
            Part::Send => &self.send,
            Part::History => &self.history,
            Part::Page => &self.page,
            Part::Search => &self.search,
            Part::Conversations => &self.conversations,
            Part::Conversation => &self.conversation,
            Part::Post => &self.post,
        }
    }

    /// A request on its way past the cache, where this one goes past it.
    fn way(&self, call: Call) -> Call {
        const OPTIMIZED: &str = "/optimized/";
        match call.path.strip_prefix(OPTIMIZED) {
            Some(path) if self.id == FlowId::MixUncached => Call {
                path: format!("{OPTIMIZED}uncached/{path}"),
                ..call
            },
            _ => call,
        }
    }

    /// Whether a write makes no request that is asked another one: none that was answered is
    /// refused then, and none that was refused is answered.
    fn is_quiet(&self, part: Part, write: &Write) -> bool {
        let apart = self.send.conversations().all(|id| id != into(write));
        let keeps = match (&write.rows, write.kind) {
            (_, Kind::Created) => false,
            (Rows::Post { turn, .. }, Kind::Deleted) => {
                turn.either().is_none_or(|post| !self.post.shows(post.id))
            }
            (Rows::Member { conversation, turn }, _) => turn
                .either()
                .is_none_or(|user| !self.history.refuses(*conversation, *user)),
            _ => true,
        };
        keeps && (part == Part::Send || apart)
    }
}

/// An operation, as often as its weight says.
fn weighed(random: &mut ChaCha8Rng) -> Part {
    let mix = &Catalogue::builtin().mix;
    mix.choose_weighted(random, |share| share.weight)
        .map_or(Part::Feed, |share| share.of)
}

/// A place of so many, the first the most popular: of 256 it is a sixth of all that are drawn. What
/// is asked for often is written to as often, so that what is kept too long is asked for again.
fn popular(number: usize, random: &mut ChaCha8Rng) -> usize {
    (random.random::<f64>().powi(3) * number as f64) as usize
}

fn any(random: &mut ChaCha8Rng) -> Part {
    Part::ALL[random.random_range(0..Part::ALL.len())]
}

impl Flow for Mix {
    fn id(&self) -> FlowId {
        self.id
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let part = weighed(random);
        self.way(self.part(part).call(side, random))
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let part = any(random);
        self.way(self.part(part).varied(side, random))
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        // Half of the writes into what is kept.
        let part = match random.random_range(0..4) {
            0 => Part::Post,
            1 => Part::Conversation,
            _ => any(random),
        };
        let write = self.part(part).change(oracle, random)?;
        self.is_quiet(part, &write).then_some(write)
    }

    fn takes_amid(&self, write: &Write) -> bool {
        let apart = self.send.conversations().all(|id| id != into(write));
        apart && self.search.takes_amid(write)
    }

    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        self.send.keeper()
    }

    fn again(&self, side: Side, sent: &[Sending]) -> Vec<Call> {
        let again = self.send.again(side, sent).into_iter();
        again.map(|call| self.way(call)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use rand::SeedableRng;
    use verdict_seed::{Scale, World, WorldSpec};

    use super::*;

    const SIDES: [Side; 2] = [Side::Baseline, Side::Optimized];

    /// What is right of a small world, and the flow on it.
    static MIX: LazyLock<(Truth, Mix)> = LazyLock::new(|| mix(FlowId::Mix));

    fn mix(id: FlowId) -> (Truth, Mix) {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        });
        let truth = Truth::new(Oracle::new(&world));
        let mix = Mix::new(id, &truth, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        (truth, mix)
    }

    /// Calls of either kind, to both sides.
    fn calls(mix: &Mix, number: usize) -> Vec<Call> {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let both = (0..number).flat_map(|place| {
            let side = SIDES[place % 2];
            [mix.call(side, &mut random), mix.varied(side, &mut random)]
        });
        both.collect()
    }

    /// The operation that a call asks for.
    fn part(call: &Call) -> Part {
        let path = call.path.split('?').next().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "feed" => Part::Feed,
            "posts" => Part::Page,
            "search" => Part::Search,
            "conversations" => Part::Conversations,
            "messages" if call.body.is_some() => Part::Send,
            "messages" => Part::History,
            _ if path.contains("/posts/") => Part::Post,
            _ => Part::Conversation,
        }
    }

    #[test]
    fn operations_are_asked_for_as_often_as_they_weigh() {
        const ASKED: usize = 4_000;
        let (_, mix) = &*MIX;
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let asked: Vec<Part> = (0..ASKED)
            .map(|place| part(&mix.call(SIDES[place % 2], &mut random)))
            .collect();
        for share in &Catalogue::builtin().mix {
            let of = asked.iter().filter(|part| **part == share.of).count();
            let percent = 100.0 * of as f64 / ASKED as f64;
            // Four standard deviations of a share of a fifth are 2.5 %.
            let off = percent - f64::from(share.weight);
            assert!(off.abs() < 2.5, "{}: {percent} %", share.of);
        }
    }

    #[test]
    fn only_the_optimized_side_of_the_uncached_mix_goes_past_the_cache() {
        let (_, uncached) = mix(FlowId::MixUncached);
        for (mix, is_uncached) in [(&MIX.1, false), (&uncached, true)] {
            for call in calls(mix, 200) {
                let due = is_uncached && call.side == Side::Optimized;
                assert_eq!(call.path.contains("/uncached/"), due, "{call}");
            }
        }
    }

    #[test]
    fn messages_are_sent_where_nothing_else_is_shown() {
        let (truth, mix) = &*MIX;
        let sent_to: HashSet<Uuid> = mix.send.conversations().collect();
        let calls = calls(mix, 2_000);
        let parts: HashSet<Part> = calls.iter().map(part).collect();
        assert_eq!(parts.len(), Part::ALL.len());
        let mut sent = 0;
        for call in &calls {
            let id = call.path.split(['/', '?']).find_map(|of| of.parse().ok());
            let id: Uuid = id.unwrap();
            match part(call) {
                Part::Send if call.status == 201 => {
                    sent += 1;
                    assert!(sent_to.contains(&id), "{call}");
                }
                Part::History | Part::Search | Part::Conversation => {
                    assert!(!sent_to.contains(&id), "{call}");
                }
                Part::Conversations => {
                    let listed = truth.world.oracle.conversations_of(id);
                    assert!(listed.iter().all(|id| !sent_to.contains(id)), "{call}");
                }
                _ => {}
            }
        }
        assert!(sent > 50, "{sent}");
    }

    #[test]
    fn writes_are_of_every_kind_and_no_more_than_one_statement_sees_those_amid() {
        let (truth, mix) = &*MIX;
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut kinds = BTreeSet::new();
        let (mut amid, mut before) = (0, 0);
        for _ in 0..600 {
            let Some(write) = mix.change(&truth.world.oracle, &mut random) else {
                continue;
            };
            kinds.insert(write.kind);
            if mix.takes_amid(&write) {
                amid += 1;
            } else {
                before += 1;
            }
        }
        use Kind::{
            Attached, Counted, Deleted, Edited, Joined, Reacted, Recalled, Sent, Served, Unreacted,
        };
        let due = [
            Sent, Edited, Recalled, Deleted, Reacted, Unreacted, Attached, Counted, Served, Joined,
        ];
        assert_eq!(Vec::from_iter(kinds), due);
        assert!(amid > 100 && before > 100, "{amid} amid, {before} before");
    }
}
