//! The change feed: late now and then, and twice now and then.

use rand::{Rng, RngExt};

use crate::distribution::exponential;
use crate::rhythm::{DAY, HOUR, later};

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
