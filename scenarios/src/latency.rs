//! How long: criterion drives, the counterpart rides along.
//!
//! While criterion samples one side, the other one is called in between, in random order and
//! for at most as much time, so that both see the same minute of the machine. Every call is
//! recorded; the ratio is taken block by block. Criterion's own estimates come from one side at
//! a time and are shown, never judged.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, SamplingMode};
use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::PgPool;
use tokio::runtime::Runtime;
use uuid::Uuid;
use verdict_audit::evidence::Latency;
use verdict_audit::quantile::{Unit, percentiles};
use verdict_audit::ratio::{Block, ratio};

use crate::error::{Error, Result};
use crate::item::Probe;

/// What is called in the first moments of a sampling is not recorded: caches and plans settle.
const WARM_UP: Duration = Duration::from_millis(150);

/// A block closes after this much time: short against the machine's moods, long against a call.
const BLOCK: Duration = Duration::from_millis(25);

/// A block in which nothing happened yet.
const EMPTY: Block = Block {
    baseline_ns: 0,
    baseline_calls: 0,
    variant_ns: 0,
    variant_calls: 0,
};

/// Calls of a quicker counterpart for each call of the sampled side.
const RIDES_PER_CALL: u32 = 8;

/// One side of a pair at one rung.
pub struct Seat<'a> {
    /// What is called.
    pub probe: &'a Probe,
    /// On which database.
    pub pool: &'a PgPool,
}

/// What was recorded of a pair; the first side is the baseline.
pub struct Recording {
    histograms: [Histogram<u64>; 2],
    blocks: Vec<Block>,
}

impl Default for Recording {
    fn default() -> Self {
        let histogram = || {
            #[expect(
                clippy::expect_used,
                reason = "three digits are always a valid precision"
            )]
            Histogram::new(3).expect("a histogram of three significant digits")
        };
        Self {
            histograms: [histogram(), histogram()],
            blocks: Vec::new(),
        }
    }
}

impl Recording {
    /// The evidence; `None` when the bench was filtered out and nothing was recorded.
    pub fn latency(&self, operation: &str, n: u64, seed: u64) -> Result<Option<Latency>> {
        if self.blocks.is_empty() {
            return Ok(None);
        }
        let ratio = ratio(&self.blocks, seed).map_err(|error| Error::Statistics {
            what: format!("the ratio of {operation} at {n}"),
            reason: error.to_string(),
        })?;
        Ok(Some(Latency {
            operation: operation.to_owned(),
            n,
            baseline: percentiles(&self.histograms[0], Unit::Nanoseconds),
            variant: percentiles(&self.histograms[1], Unit::Nanoseconds),
            ratio,
            blocks: self.blocks.len(),
        }))
    }
}

/// Has criterion sample one side (0: the baseline, 1: the variant) while the other rides along,
/// and adds what is seen to the recording.
pub fn sample(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    runtime: &Runtime,
    seats: [Seat<'_>; 2],
    sampled: usize,
    recording: &mut Recording,
) -> std::result::Result<(), verdict_baseline::Error> {
    group.sampling_mode(SamplingMode::Flat);
    let ride = RefCell::new(Ride::new(seats, sampled, recording));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            // Criterion calls from one thread and never from within a call.
            runtime.block_on(ride.borrow_mut().block(iterations))
        });
    });
    ride.into_inner().failure.map_or(Ok(()), Err)
}

struct Ride<'a> {
    seats: [Seat<'a>; 2],
    sampled: usize,
    recording: &'a mut Recording,
    rng: ChaCha8Rng,
    /// Calls made on each side, which choose the next request.
    calls: [u64; 2],
    /// Time the counterpart may still take.
    credit: Duration,
    /// What its last call took.
    last_ride: Duration,
    /// Warm-up that is left; blocks that begin in it are not recorded.
    warm_up: Duration,
    written: [Vec<Uuid>; 2],
    open: Block,
    failure: Option<verdict_baseline::Error>,
}

impl<'a> Ride<'a> {
    fn new(seats: [Seat<'a>; 2], sampled: usize, recording: &'a mut Recording) -> Self {
        Self {
            seats,
            sampled,
            recording,
            rng: ChaCha8Rng::seed_from_u64(0),
            calls: [0; 2],
            credit: Duration::ZERO,
            last_ride: Duration::ZERO,
            warm_up: WARM_UP,
            written: [Vec::new(), Vec::new()],
            open: EMPTY,
            failure: None,
        }
    }

    /// Makes `iterations` calls of the sampled side and answers the time they took.
    async fn block(&mut self, iterations: u64) -> Duration {
        let started = Instant::now();
        let recorded = self.warm_up.is_zero();
        let mut sampled = Duration::ZERO;
        let mut block_started = Instant::now();
        for _ in 0..iterations {
            let counterpart_first = self.rng.random();
            if counterpart_first {
                self.ride(recorded).await;
            }
            let took = self.call(self.sampled, recorded).await;
            sampled += took;
            self.credit += took;
            if !counterpart_first {
                self.ride(recorded).await;
            }
            if block_started.elapsed() >= BLOCK {
                self.close().await;
                block_started = Instant::now();
            }
        }
        self.close().await;
        self.warm_up = self.warm_up.saturating_sub(started.elapsed());
        // Criterion divides by it; a side that failed at once must not answer zero.
        sampled.max(Duration::from_nanos(1))
    }

    /// Calls the counterpart for as long as it has credit.
    async fn ride(&mut self, recorded: bool) {
        let mut rides = 0;
        while rides < RIDES_PER_CALL && self.credit >= self.last_ride {
            let took = self.call(1 - self.sampled, recorded).await;
            self.credit = self.credit.saturating_sub(took);
            // Slowly forgotten, so that one slow call does not end the ride.
            self.last_ride = if self.last_ride.is_zero() {
                took
            } else {
                (self.last_ride * 7 + took) / 8
            };
            rides += 1;
        }
        if rides == RIDES_PER_CALL {
            self.credit = Duration::ZERO;
        }
    }

    async fn call(&mut self, side: usize, recorded: bool) -> Duration {
        if self.failure.is_some() {
            return Duration::ZERO;
        }
        let seat = &self.seats[side];
        let call = seat.probe.call(seat.pool, self.calls[side]);
        let started = Instant::now();
        let outcome = call.await;
        let took = started.elapsed();
        self.calls[side] += 1;
        match outcome {
            Ok(trace) => self.written[side].extend(trace),
            Err(error) => self.failure = Some(error),
        }
        if recorded {
            let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            // The histogram grows as it must; only a value beyond 2^63 is refused.
            let _ = self.recording.histograms[side].record(nanoseconds);
            let open = &mut self.open;
            let (total, calls) = match side {
                0 => (&mut open.baseline_ns, &mut open.baseline_calls),
                _ => (&mut open.variant_ns, &mut open.variant_calls),
            };
            *total += nanoseconds;
            *calls += 1;
        }
        took
    }

    /// Ends a block, unless one side is still missing from it, and takes back what was written.
    async fn close(&mut self) {
        if self.open.baseline_calls > 0 && self.open.variant_calls > 0 {
            self.recording
                .blocks
                .push(std::mem::replace(&mut self.open, EMPTY));
        }
        for (seat, written) in self.seats.iter().zip(&mut self.written) {
            if let Err(error) = seat.probe.undo(seat.pool, std::mem::take(written)).await {
                let error =
                    verdict_baseline::Error::Database(sqlx::Error::Protocol(error.to_string()));
                self.failure.get_or_insert(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use sqlx::PgPool;

    use super::*;

    type Log = Arc<Mutex<Vec<usize>>>;

    /// A side that takes a while and notes that it was called; it asks no database.
    fn noting(log: &Log, side: usize, takes: Duration) -> Probe {
        let log = Arc::clone(log);
        Probe::reading(move |_, _| {
            let log = Arc::clone(&log);
            async move {
                let started = Instant::now();
                while started.elapsed() < takes {
                    std::hint::spin_loop();
                }
                log.lock().unwrap().push(side);
                Ok(())
            }
        })
    }

    /// The order of calls, and the recording, of so many calls of side 1 with side 0 riding.
    fn ride(calls: u64, takes: [Duration; 2]) -> (Vec<usize>, Recording) {
        let runtime = Runtime::new().unwrap();
        let log = Log::default();
        let probes = [0, 1].map(|side| noting(&log, side, takes[side]));
        let mut recording = Recording::default();
        runtime.block_on(async {
            let pool = PgPool::connect_lazy("postgres://nobody@localhost/nothing").unwrap();
            let seats = [&probes[0], &probes[1]].map(|probe| Seat { probe, pool: &pool });
            let mut ride = Ride::new(seats, 1, &mut recording);
            ride.warm_up = Duration::ZERO;
            ride.block(calls).await;
        });
        let order = log.lock().unwrap().clone();
        (order, recording)
    }

    #[test]
    fn the_counterpart_rides_along_before_and_after_in_random_order() {
        let takes = [Duration::from_micros(200); 2];
        let (order, _) = ride(400, takes);
        let pairs: Vec<(usize, usize)> = order.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let count = |pair| pairs.iter().filter(|seen| **seen == pair).count();
        // In strict alternation neither side ever follows itself.
        assert!(count((0, 0)) > 20 && count((1, 1)) > 20, "{order:?}");
        assert!(count((0, 1)) > 50 && count((1, 0)) > 50, "{order:?}");
    }

    #[test]
    fn the_counterpart_takes_at_most_about_as_much_time() {
        let slow = Duration::from_millis(2);
        let quick = Duration::from_micros(250);
        for takes in [[slow, quick], [quick, slow]] {
            let (_, recording) = ride(100, takes);
            let nanoseconds = |of: fn(&Block) -> u64| recording.blocks.iter().map(of).sum::<u64>();
            let rider = nanoseconds(|block| block.baseline_ns);
            let sampled = nanoseconds(|block| block.variant_ns);
            // One slow call more than the credit is the worst a ride can do.
            let slack = slow.as_nanos() as u64 * 4;
            assert!(rider <= sampled + slack, "{rider} beside {sampled}");
        }
    }

    #[test]
    fn every_call_outside_the_warm_up_is_recorded_on_its_side() {
        let takes = [Duration::from_micros(300), Duration::from_micros(600)];
        let (order, recording) = ride(100, takes);
        for side in [0, 1] {
            let called = order.iter().filter(|seen| **seen == side).count() as u64;
            assert_eq!(recording.histograms[side].len(), called);
        }
        let latency = recording.latency("spin", 1, 1).unwrap().unwrap();
        assert!(latency.baseline.p50 >= 300.0 && latency.variant.p50 >= 600.0);
    }
}
