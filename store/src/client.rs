//! What only the client sees.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::waits::Heard;

/// Running totals of a store's client side. Differences of two readings are meant.
#[derive(Debug, Default)]
pub struct ClientCounts {
    waits: AtomicU64,
    waited_us: AtomicU64,
    time_outs: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    overlooked: AtomicU64,
}

/// The totals at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientReading {
    /// Connections waited for.
    pub waits: u64,
    /// Microseconds those waits took together.
    pub waited_us: u64,
    /// Connections that did not come in time.
    pub time_outs: u64,
    /// Reads that a cache answered.
    pub hits: u64,
    /// Reads that it could not.
    pub misses: u64,
    /// What was asked about and no answer named.
    pub overlooked: u64,
}

impl ClientCounts {
    /// Counts a connection that did not come in time.
    pub fn timed_out(&self) {
        self.time_outs.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a read that a cache answered.
    pub fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a read that a cache could not answer.
    pub fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what was asked about and not named.
    pub fn overlooked(&self) {
        self.overlooked.fetch_add(1, Ordering::Relaxed);
    }

    /// The totals now.
    pub fn read(&self) -> ClientReading {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ClientReading {
            waits: of(&self.waits),
            waited_us: of(&self.waited_us),
            time_outs: of(&self.time_outs),
            hits: of(&self.hits),
            misses: of(&self.misses),
            overlooked: of(&self.overlooked),
        }
    }
}

impl Heard for ClientCounts {
    fn waited(&self, time: Duration) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited_us.fetch_add(micros, Ordering::Relaxed);
    }
}
