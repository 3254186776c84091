//! The audit's flows: what is asked of a service under load, drawn from the world, and what a
//! right answer is.
//!
//! One file per flow. A flow joins by its file and its line in [`flow`]; `feed` will be the
//! fourth. [`call`]: a request with what its answer must be; [`keeper`]: who keeps account of
//! what it leaves behind.

mod book;
pub mod call;
mod history;
pub mod keeper;
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

    /// Who keeps account of what its requests leave behind; none when they leave nothing.
    fn keeper(&self) -> Option<Arc<dyn Keeper>>;

    /// Some of the messages that were acknowledged, to be sent once more: requests that must be
    /// refused, and leave nothing.
    fn again(&self, side: Side, sent: &[Sending]) -> Vec<Call>;
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

/// A flow over a world; [`Lacking`] for a flow that has none yet.
///
/// # Errors
/// What the world lacks for it.
pub fn flow(id: FlowId, truth: &Truth, random: &mut ChaCha8Rng) -> Result<Arc<dyn Flow>, Lacking> {
    Ok(match id {
        FlowId::Send => Arc::new(send::Send::new(truth, random)?),
        FlowId::History => Arc::new(history::History::new(truth, random)?),
        FlowId::Page => Arc::new(posts::Posts::new(truth, random)?),
        FlowId::Feed => {
            return Err(Lacking {
                flow: id,
                what: "its ClickHouse items, which are not on trial yet",
            });
        }
    })
}

/// Why a flow cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("flow {flow} lacks {what}: leave it out, or take another scale")]
pub struct Lacking {
    flow: FlowId,
    what: &'static str,
}
