//! Known slowdowns: today's call with a busy wait after it, beside today's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::Criterion;
use futures_util::future::BoxFuture;
use serde::Serialize;
use verdict_audit::evidence::Latency;
use verdict_audit::{At, VariantName};
use verdict_scenarios::Result;
use verdict_scenarios::court::Court;
use verdict_scenarios::operation::{AnyOperation, Ladder, Probe};
use verdict_scenarios::session::Role;
use verdict_scenarios::tally::Tally;
use verdict_scenarios::timing::{Place, same};
use verdict_store::{Error, Fault, Store};

use crate::itself::places;

/// Calls that are slowed, in microseconds.
const CALLS_US: std::ops::RangeInclusive<f64> = 300.0..=5_000.0;

/// How often a known slowdown is found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Power {
    /// As a share of today's typical call.
    pub slowdown: f64,
    /// How long a cell is measured: `full` or `quick`.
    pub depth: &'static str,
    /// Cells whose interval lies wholly below 1.
    pub found: usize,
    /// Cells.
    pub tries: usize,
    /// What the waits really took, as a share of the typical call beside them.
    pub waited: f64,
}

/// Where calls of a length to be slowed are made, with what the typical one takes.
pub struct Slowable {
    operation: Arc<dyn AnyOperation>,
    at: At,
    typical_us: f64,
}

/// Looks for them.
///
/// # Errors
/// What the harness could not do.
pub fn slowable(court: &Court<'_>, criterion: &mut Criterion) -> Result<Vec<Slowable>> {
    let mut found = Vec::new();
    for item in court.items {
        for operation in item.operations() {
            let operation: Arc<dyn AnyOperation> = Arc::from(operation);
            if operation.ladder() != Ladder::Rows {
                continue;
            }
            for at in places(court, *item, &*operation) {
                let cell = cell(court, criterion, &*operation, at, &same)?;
                let typical_us = cell.as_ref().and_then(typical);
                let slowable = typical_us.map(|typical_us| Slowable {
                    operation: Arc::clone(&operation),
                    at,
                    typical_us,
                });
                found.extend(slowable.filter(|call| CALLS_US.contains(&call.typical_us)));
            }
        }
    }
    Ok(found)
}

/// Tries a slowdown so many times, going round in the calls.
///
/// # Errors
/// What the harness could not do.
pub fn power(
    court: &Court<'_>,
    (criterion, depth): (&mut Criterion, &'static str),
    calls: &mut [Slowable],
    slowdown: f64,
    tries: usize,
) -> Result<Power> {
    let mut power = Power {
        slowdown,
        depth,
        found: 0,
        tries: 0,
        waited: 0.0,
    };
    let count = calls.len().max(1);
    let mut waited = 0.0;
    for number in 0..tries {
        let Some(call) = calls.get_mut(number % count) else {
            break;
        };
        let wait = Arc::new(Wait::new(call.typical_us * slowdown));
        let slowed = |probe| -> Arc<dyn Probe> {
            Arc::new(Slowed {
                probe,
                wait: Arc::clone(&wait),
            })
        };
        let cell = cell(court, criterion, &*call.operation, call.at, &slowed)?;
        let Some(cell) = cell else {
            continue;
        };
        let Some(typical_us) = typical(&cell) else {
            continue;
        };
        power.tries += 1;
        power.found += usize::from(cell.ratio.is_some_and(|ratio| ratio.hi < 1.0));
        waited += wait.mean_us() / typical_us;
        // The machine may have become faster or slower.
        call.typical_us = typical_us;
    }
    power.waited = waited / power.tries.max(1) as f64;
    Ok(power)
}

/// Today's typical call beside which a cell was measured.
fn typical(cell: &Latency) -> Option<f64> {
    cell.baseline.as_ref().map(|today| today.p50)
}

fn cell(
    court: &Court<'_>,
    criterion: &mut Criterion,
    operation: &dyn AnyOperation,
    at: At,
    made: &dyn Fn(Arc<dyn Probe>) -> Arc<dyn Probe>,
) -> Result<Option<Latency>> {
    let step = format!("{} at {at}, slowed", operation.name());
    court.watcher.step("power", &VariantName::Baseline, &step);
    let place = Place {
        operation,
        at,
        judged: true,
    };
    court.against_itself(criterion, "power", place, [Role::Baseline; 2], made)
}

/// A busy wait, and what it really took.
struct Wait {
    by: Duration,
    times: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Wait {
    fn new(microseconds: f64) -> Self {
        Self {
            by: Duration::from_nanos((microseconds * 1e3) as u64),
            times: AtomicU64::new(0),
            nanoseconds: AtomicU64::new(0),
        }
    }

    fn wait(&self) -> Duration {
        let started = Instant::now();
        while started.elapsed() < self.by {
            std::hint::spin_loop();
        }
        let took = started.elapsed();
        self.times.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds
            .fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        took
    }

    fn mean_us(&self) -> f64 {
        let times = self.times.load(Ordering::Relaxed).max(1);
        self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e3 / times as f64
    }
}

struct Slowed {
    probe: Arc<dyn Probe>,
    wait: Arc<Wait>,
}

impl Probe for Slowed {
    fn call<'a>(
        &'a self,
        store: &'a Store,
        keep: bool,
    ) -> BoxFuture<'a, std::result::Result<Duration, Fault>> {
        Box::pin(async move { Ok(self.probe.call(store, keep).await? + self.wait.wait()) })
    }

    fn settle<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, std::result::Result<(), Error>> {
        self.probe.settle(store, tally)
    }

    fn doubt<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, std::result::Result<(), Error>> {
        self.probe.doubt(store, tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_takes_no_less_than_it_should_and_is_measured() {
        let wait = Wait::new(300.0);
        let took: Duration = (0..10).map(|_| wait.wait()).sum();
        assert!(took >= Duration::from_micros(3_000));
        assert!((wait.mean_us() - took.as_secs_f64() * 1e5).abs() < 1e-3);
    }
}
