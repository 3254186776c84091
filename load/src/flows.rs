//! The audit's flows: what is asked of a service under load, drawn from the world, and what a
//! right answer is.
//!
//! One file per flow. A flow joins by its file and its line in [`flow`]. [`call`]: a request with what its answer must be; [`keeper`]: who keeps account of
//! what it leaves behind.

mod book;
pub mod call;
mod feed;
mod history;
pub mod keeper;
mod mix;
mod posts;
mod send;
mod stored;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use verdict_audit::{FlowId, Side};
use verdict_oracle::{Oracle, Write};

use self::call::Call;
use self::keeper::{Keeper, Sending};
use crate::moments::Truth;

/// One user-visible operation: its requests, and what a right answer is.
pub trait Flow: Debug + Send + Sync {
    /// Which one.
    fn id(&self) -> FlowId;

    /// What is asked, in words that stand in the report beside the figures.
    fn about(&self) -> &str;

    /// The next request to one side: the one that the audit's target speaks of.
    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call;

    /// A request over every parameter, also one that must be refused.
    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call;

    /// A write after which another answer to one of its requests is right than before it. None
    /// where the draw finds none.
    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write>;

    /// Whether such a write may be made while its requests are on their way: each answer is of
    /// before it or after it, and what was sent is told apart from what was written.
    fn takes_amid(&self, _write: &Write) -> bool {
        true
    }

    /// Who keeps account of what its requests leave behind; none when they leave nothing.
    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        None
    }

    /// Some of the messages that were acknowledged, to be sent once more: requests that must be
    /// refused, and leave nothing.
    fn again(&self, _side: Side, _sent: &[Sending]) -> Vec<Call> {
        Vec::new()
    }
}

/// The next request so long after a window opened: over every parameter in the first half of
/// its warm-up, and from then on the one that is judged, so that nothing else is on its way when
/// the warm-up ends.
pub(crate) fn next(
    flow: &dyn Flow,
    side: Side,
    (after, warm_up): (Duration, Duration),
    random: &mut ChaCha8Rng,
) -> Call {
    if after < warm_up / 2 {
        flow.varied(side, random)
    } else {
        flow.call(side, random)
    }
}

/// A flow over a world.
///
/// # Errors
/// What the world lacks for it.
pub fn flow(id: FlowId, truth: &Truth, random: &mut ChaCha8Rng) -> Result<Arc<dyn Flow>, Lacking> {
    Ok(match id {
        FlowId::Send => Arc::new(send::Send::new(truth, random)?),
        FlowId::History => Arc::new(history::History::new(truth, random)?),
        FlowId::Page => Arc::new(posts::Posts::new(truth, random)?),
        FlowId::Feed => Arc::new(feed::Feed::new(truth, random)?),
        FlowId::Mix | FlowId::MixUncached => Arc::new(mix::Mix::new(id, truth, random)?),
    })
}

/// Why a flow cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("flow {flow} lacks {what}: leave it out, or take another scale")]
pub struct Lacking {
    flow: FlowId,
    what: &'static str,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use verdict_seed::{Scale, World, WorldSpec};

    use super::*;

    const FLOWS: [FlowId; 4] = [FlowId::Send, FlowId::History, FlowId::Page, FlowId::Feed];

    fn flows() -> Vec<(Truth, Arc<dyn Flow>)> {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        });
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let of = |id| {
            let truth = Truth::new(Oracle::new(&world));
            let flow = flow(id, &truth, &mut random).unwrap();
            (truth, flow)
        };
        FLOWS.map(of).into()
    }

    fn calls(next: impl Fn(Side, &mut ChaCha8Rng) -> Call) -> impl Iterator<Item = (Side, Call)> {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let sides = [Side::Baseline, Side::Optimized].into_iter().cycle();
        sides
            .take(2_000)
            .map(move |side| (side, next(side, &mut random)))
    }

    #[test]
    fn whatever_is_left_behind_has_one_who_keeps_account_of_it() {
        for (_, flow) in flows() {
            let asked = calls(|side, random| flow.call(side, random));
            for (_, call) in asked.chain(calls(|side, random| flow.varied(side, random))) {
                let posts = call.body.is_some();
                assert_eq!(call.leaves.is_some(), posts, "{call}");
                assert_eq!(flow.keeper().is_some(), posts, "{call}");
            }
        }
    }

    #[test]
    fn what_is_judged_is_the_audits_request_and_nothing_else() {
        for (_, flow) in flows() {
            let judged = match flow.id() {
                FlowId::History => "limit=100&offset=0&include_recalled=false",
                FlowId::Page => "limit=20",
                FlowId::Feed => "/feed?limit=20&offset=0",
                _ => "/messages",
            };
            for (_, call) in calls(|side, random| flow.call(side, random)) {
                assert!(call.judged && call.path.contains(judged), "{call}");
                assert!(call.status < 300, "{call}");
            }
            for (_, call) in calls(|side, random| flow.varied(side, random)) {
                assert!(!call.judged);
            }
        }
    }

    #[test]
    fn what_is_asked_beside_it_goes_over_every_parameter_and_is_refused_where_it_must_be() {
        for (_, flow) in flows() {
            let mut asked = BTreeSet::new();
            let mut statuses = BTreeSet::new();
            for (side, call) in calls(|side, random| flow.varied(side, random)) {
                let (_, parameters) = call.path.split_once('?').unwrap_or_default();
                let all = parameters.split('&');
                let plain = all.filter(|one| !one.contains("viewer") && !one.contains("cursor"));
                asked.extend(plain.map(|one| format!("{side} {one}")));
                statuses.insert(call.status);
            }
            let due: &[u16] = match flow.id() {
                FlowId::Send => &[201, 403, 404],
                FlowId::History => &[200, 400, 403, 404],
                FlowId::Page => &[200, 400, 404],
                // Who is unknown is shown what is trending.
                _ => &[200, 400],
            };
            assert_eq!(Vec::from_iter(statuses), due);
            if flow.id() == FlowId::Send {
                continue;
            }
            for side in [Side::Baseline, Side::Optimized] {
                for limit in [0, 1, 20, 200, 201] {
                    let limit = format!("{side} limit={limit}");
                    assert!(asked.contains(&limit), "{limit}");
                }
            }
            let offsets = |asked: &String| {
                let (_, offset) = asked.split_once("offset=")?;
                offset.parse::<u64>().ok()
            };
            let offsets: Vec<u64> = asked.iter().filter_map(offsets).collect();
            assert!(offsets.contains(&0) && offsets.iter().any(|offset| *offset > 100_000));
            let deep = offsets
                .iter()
                .filter(|offset| (50..1_000).contains(*offset));
            assert!(deep.count() > 3);
        }
    }

    #[test]
    fn a_write_into_what_is_read_makes_another_answer_right() {
        for (truth, flow) in flows().into_iter().skip(1) {
            let mut random = ChaCha8Rng::seed_from_u64(3);
            let mut kinds = BTreeSet::new();
            for _ in 0..200 {
                let write = flow.change(&truth.world.oracle, &mut random);
                kinds.extend(write.map(|write| write.kind));
            }
            use verdict_oracle::write::Kind::{
                Attached, Deleted, Edited, Reacted, Recalled, Sent, Unreacted,
            };
            let due = match flow.id() {
                FlowId::History => {
                    vec![
                        Sent, Edited, Recalled, Deleted, Reacted, Unreacted, Attached,
                    ]
                }
                FlowId::Feed => vec![Edited, Deleted],
                _ => vec![Sent, Edited, Deleted],
            };
            assert_eq!(Vec::from_iter(kinds), due, "{}", flow.about());
        }
    }
}
