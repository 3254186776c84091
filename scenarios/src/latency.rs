//! How long: criterion drives, the counterpart rides along.
//!
//! While criterion samples one side, the other one is called in between, in random order and
//! for at most as much time, so that both see the same minute of the machine. Every call is
//! recorded; the ratio is taken block by block. Criterion's own estimates come from one side at
//! a time and are shown, never judged. With several callers at once the sides take turns in
//! blocks. A sample of the timed answers is held to the oracle, outside the clock.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, SamplingMode};
use futures_util::future::join_all;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;
use verdict_store::{Fault, Refusal, Store};

use crate::operation::Probe;
use crate::recording::{Recording, Sampled};
use crate::tally::Tally;

/// What is called in the first moments of a sampling is not recorded: caches and plans settle.
const WARM_UP: Duration = Duration::from_millis(150);

/// As many calls are enough, however soon they are made: plans settle from the sixth on.
const WARM_UP_CALLS: u64 = 7;

/// A block closes after this much time: short against the machine's moods, long against a call.
const BLOCK: Duration = Duration::from_millis(25);

/// Calls of a quicker counterpart for each call of the sampled side.
const RIDES_PER_CALL: u32 = 8;

/// One side of a pair at one place.
#[derive(Clone)]
pub struct Seat {
    /// What is called.
    pub probe: Arc<dyn Probe>,
    /// On which store.
    pub store: Store,
}

/// Both sides of a pair; without the baseline where today does not run.
pub struct Pair {
    /// Today.
    pub baseline: Option<Seat>,
    /// The variant.
    pub variant: Seat,
}

/// What criterion samples.
#[derive(Debug, Clone, Copy)]
pub struct Sampling<'a> {
    /// The bench's name within its group.
    pub name: &'a str,
    /// The side that criterion sees.
    pub sampled: Sampled,
    /// Callers at once.
    pub callers: u32,
}

/// Has criterion sample one side while the other rides along, and adds what is seen to the
/// recording, and what is wrong with the variant's answers to the tally.
///
/// # Errors
/// The first call's that fails.
pub fn sample(
    group: &mut BenchmarkGroup<'_, WallTime>,
    sampling: Sampling<'_>,
    runtime: &Runtime,
    pair: &Pair,
    recording: &mut Recording,
    tally: &mut Tally,
) -> Result<(), Fault> {
    group.sampling_mode(SamplingMode::Flat);
    let ride = RefCell::new(Ride::new(pair, sampling, recording, tally));
    group.bench_function(sampling.name, |bencher| {
        bencher.iter_custom(|iterations| {
            // Criterion calls from one thread and never from within a call.
            runtime.block_on(ride.borrow_mut().iterate(iterations))
        });
    });
    ride.into_inner().failure.map_or(Ok(()), Err)
}

struct Ride<'a> {
    pair: &'a Pair,
    sampled: Sampled,
    callers: u32,
    recording: &'a mut Recording,
    tally: &'a mut Tally,
    random: ChaCha8Rng,
    /// Time the counterpart may still take.
    credit: Duration,
    /// What its last call took.
    last_ride: Duration,
    /// Warm-up that is left; calls that begin in it are not recorded.
    warm_up: Duration,
    /// Calls of the sampled side so far.
    called: u64,
    failure: Option<Fault>,
}

impl<'a> Ride<'a> {
    fn new(
        pair: &'a Pair,
        Sampling {
            sampled, callers, ..
        }: Sampling<'_>,
        recording: &'a mut Recording,
        tally: &'a mut Tally,
    ) -> Self {
        Self {
            pair,
            sampled,
            callers,
            recording,
            tally,
            random: ChaCha8Rng::seed_from_u64(0),
            credit: Duration::ZERO,
            last_ride: Duration::ZERO,
            warm_up: WARM_UP,
            called: 0,
            failure: None,
        }
    }

    fn seat(&self, side: Sampled) -> Option<&'a Seat> {
        match side {
            Sampled::Baseline => self.pair.baseline.as_ref(),
            Sampled::Variant => Some(&self.pair.variant),
        }
    }

    /// Makes `iterations` calls of the sampled side and answers the time they took.
    async fn iterate(&mut self, iterations: u64) -> Duration {
        let started = Instant::now();
        let recorded = self.warm_up.is_zero() || self.called >= WARM_UP_CALLS;
        let took = if self.callers > 1 {
            self.crowds(iterations, recorded).await
        } else {
            self.calls(iterations, recorded).await
        };
        self.warm_up = self.warm_up.saturating_sub(started.elapsed());
        self.called += iterations;
        // Criterion divides by it; a side that failed at once must not answer zero.
        took.max(Duration::from_nanos(1))
    }

    /// One caller, with the counterpart's calls in between.
    async fn calls(&mut self, iterations: u64, recorded: bool) -> Duration {
        let mut total = Duration::ZERO;
        let mut block_started = Instant::now();
        for _ in 0..iterations {
            let counterpart_first = self.random.random();
            if counterpart_first {
                self.ride(recorded).await;
            }
            let took = self.call(self.sampled, recorded).await;
            total += took;
            self.credit += took;
            if !counterpart_first {
                self.ride(recorded).await;
            }
            if block_started.elapsed() >= BLOCK {
                self.close_block().await;
                block_started = Instant::now();
            }
        }
        self.close_block().await;
        total
    }

    /// Calls the counterpart for as long as it has credit.
    async fn ride(&mut self, recorded: bool) {
        let mut rides = 0;
        while rides < RIDES_PER_CALL && self.credit >= self.last_ride {
            let took = self.call(self.sampled.other(), recorded).await;
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

    async fn call(&mut self, side: Sampled, recorded: bool) -> Duration {
        let Some(seat) = self.seat(side).filter(|_| self.failure.is_none()) else {
            return Duration::ZERO;
        };
        // Today's timed answers are today's to answer for: the check has them.
        let keep = side == Sampled::Variant;
        match seat.probe.call(&seat.store, keep).await {
            Ok(took) => {
                if recorded {
                    self.recording.record(side, took);
                }
                took
            }
            Err(fault) => {
                self.failure = Some(fault);
                Duration::ZERO
            }
        }
    }

    /// Many callers at once: blocks of both sides in random order, until the sampled side was
    /// called often enough. The time answered is that of as many calls as were asked for.
    async fn crowds(&mut self, iterations: u64, recorded: bool) -> Duration {
        let mut total = Duration::ZERO;
        let mut calls = 0;
        while calls < iterations && self.failure.is_none() {
            let first = if self.random.random() {
                self.sampled
            } else {
                self.sampled.other()
            };
            for side in [first, first.other()] {
                let (count, took) = self.crowd(side, recorded).await;
                if side == self.sampled {
                    calls += count;
                    total += took;
                }
            }
            self.close_block().await;
        }
        total.mul_f64(iterations as f64 / calls.max(1) as f64)
    }

    /// One block of one side; how many calls there were, and the time they took together.
    async fn crowd(&mut self, side: Sampled, recorded: bool) -> (u64, Duration) {
        let Some(seat) = self.seat(side) else {
            return (0, Duration::ZERO);
        };
        let until = Instant::now() + BLOCK;
        let keep = side == Sampled::Variant;
        let callers = (0..self.callers).map(|_| {
            let seat = seat.clone();
            tokio::spawn(async move {
                let mut times = Vec::new();
                while times.is_empty() || Instant::now() < until {
                    let started = Instant::now();
                    times.push(match seat.probe.call(&seat.store, keep).await {
                        // It waited in vain for a connection: so long did its caller wait.
                        Err(Fault::Variant(Refusal::TimedOut(_))) => started.elapsed(),
                        called => called?,
                    });
                }
                Ok::<_, Fault>(times)
            })
        });
        let mut outcome = (0, Duration::ZERO);
        for caller in join_all(callers).await {
            match caller {
                Ok(Ok(times)) => {
                    for took in times {
                        outcome.0 += 1;
                        outcome.1 += took;
                        if recorded {
                            self.recording.record(side, took);
                        }
                    }
                }
                Ok(Err(fault)) => {
                    self.failure.get_or_insert(fault);
                }
                Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
            }
        }
        outcome
    }

    /// Ends a block: what was written is taken back, what was kept is compared.
    async fn close_block(&mut self) {
        self.recording.close_block();
        let pair = self.pair;
        let settled = async {
            if let Some(seat) = &pair.baseline {
                let none_kept = &mut Tally::default();
                seat.probe.settle(&seat.store, none_kept).await?;
            }
            pair.variant
                .probe
                .settle(&pair.variant.store, self.tally)
                .await
        };
        if let Err(error) = settled.await {
            self.failure.get_or_insert(Fault::Harness(error));
        }
    }
}

#[cfg(test)]
mod tests;
