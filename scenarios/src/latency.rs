//! How long: criterion drives, and each of its samples is a round.
//!
//! A round has fresh connections on both sides, alike, and a few uncounted calls on them; then
//! short blocks with as many calls of either side, mixed at random, so that both see the same
//! moment of the machine. With several callers at once the sides take turns within a block.
//! What criterion is told of a round is its typical call: its own estimates are of one side at
//! a time and are shown, never judged. A sample of the timed answers is held to the oracle,
//! outside the clock.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, SamplingMode};
use futures_util::future::{LocalBoxFuture, join_all};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;
use verdict_store::{Error, Fault, Refusal, Store};

use crate::operation::Probe;
use crate::recording::{Recording, Sampled};
use crate::tally::Tally;

/// Calls on a fresh connection that go uncounted: from the sixth on PostgreSQL may use a generic
/// plan. A slow call is made once.
pub(crate) const WARM_UP_CALLS: u32 = 6;
pub(crate) const SLOW: Duration = Duration::from_millis(100);

/// How long either side is called in a block: short against the machine's moods, long against
/// a call.
const BLOCK: Duration = Duration::from_millis(25);

/// Of so many rounds one ends with writes between equal reads: often enough to come after
/// thousands of calls, and so seldom that what they leave in the tables is not felt.
const DOUBTED_ONE_IN: usize = 5;

const SIDES: [Sampled; 2] = [Sampled::Baseline, Sampled::Variant];

/// Makes a store with connections of its own.
pub type Seating<'a> = Box<dyn Fn() -> LocalBoxFuture<'a, Result<Store, Error>> + 'a>;

/// One side of a pair at one place.
pub struct Seat<'a> {
    /// What is called.
    pub probe: Arc<dyn Probe>,
    /// On what.
    pub store: Seating<'a>,
}

/// Both sides of a pair; without the baseline where today does not run.
pub struct Pair<'a> {
    /// Today.
    pub baseline: Option<Seat<'a>>,
    /// The variant.
    pub variant: Seat<'a>,
    /// Callers at once.
    pub callers: u32,
    /// Called once each a round, with no warm-up, since `restore` has to follow each call.
    pub restore: Option<Restore<'a>>,
    /// The seed that the order of calls is drawn from: each cell's its own.
    pub order: u64,
    /// Whether a verdict rests on it. Where none does, and a call takes long, it is said what a
    /// call costs, and no more.
    pub judged: bool,
}

/// A call that takes longer is worth no rounds where no verdict rests on them.
const DEAR: Duration = Duration::from_millis(500);

/// Gives back what a call left on both sides.
pub type Restore<'a> = Box<dyn Fn() -> LocalBoxFuture<'a, Result<(), Error>> + 'a>;

/// Why a pair is not timed any further: a side's fault, and whose.
#[derive(Debug)]
pub struct Stopped {
    /// Whose.
    pub side: Sampled,
    /// What it is.
    pub fault: Fault,
}

/// Has criterion sample the variant, round by round, beside today, and adds what is seen to the
/// recording, and what is wrong with the variant's answers to the tally.
///
/// # Errors
/// The first call's that fails.
pub fn sample(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    runtime: &Runtime,
    pair: &Pair<'_>,
    recording: &mut Recording,
    tally: &mut Tally,
) -> Result<(), Stopped> {
    prepare(group);
    let rounds = RefCell::new(Rounds::new(pair, recording, tally));
    let fault = RefCell::new(None);
    let sampled = catch_unwind(AssertUnwindSafe(|| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                // Criterion calls from one thread and never from within a call.
                match runtime.block_on(rounds.borrow_mut().next(iterations)) {
                    Ok(typical) => typical,
                    Err(stopped) => {
                        fault.replace(Some(stopped));
                        resume_unwind(Box::new(GivenUp));
                    }
                }
            });
        });
    }));
    match sampled {
        Err(panicked) if !panicked.is::<GivenUp>() => resume_unwind(panicked),
        _ => fault.into_inner().map_or(Ok(()), Err),
    }
}

/// Criterion has no way to break off, and would draw conclusions from rounds that never were: it
/// is left by unwinding with this, which is no panic and says nothing.
struct GivenUp;

/// Shows criterion what was recorded of today's side beside the variant: nothing is timed twice.
pub fn replay(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, recording: &Recording) {
    let mut typical = recording.todays().iter().cycle();
    prepare(group);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let nanoseconds = typical.next().copied().unwrap_or(1.0) * iterations as f64;
            Duration::from_nanos(nanoseconds as u64)
        });
    });
}

/// A round warms its own connections up: criterion only needs an estimate.
fn prepare(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_nanos(1));
}

/// How a pair is called, once that is known.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The variant's typical call.
    typical: Duration,
    /// Calls of either side in a block.
    calls: u64,
    /// What criterion takes for the time of one iteration: all that finding this out took.
    iteration: Duration,
}

struct Rounds<'a, 'p> {
    pair: &'a Pair<'p>,
    recording: &'a mut Recording,
    tally: &'a mut Tally,
    random: ChaCha8Rng,
    rounds: usize,
    paced: Option<Pace>,
    /// Whether what a call costs is all that is asked.
    dear: bool,
}

impl<'a, 'p> Rounds<'a, 'p> {
    fn new(pair: &'a Pair<'p>, recording: &'a mut Recording, tally: &'a mut Tally) -> Self {
        Self {
            pair,
            recording,
            tally,
            random: ChaCha8Rng::seed_from_u64(pair.order),
            rounds: 0,
            paced: None,
            dear: false,
        }
    }

    fn seat(&self, side: Sampled) -> Option<&'a Seat<'p>> {
        match side {
            Sampled::Baseline => self.pair.baseline.as_ref(),
            Sampled::Variant => Some(&self.pair.variant),
        }
    }

    /// What criterion asks for: the first time an estimate, then a round for each sample, for as
    /// long as criterion has for it.
    async fn next(&mut self, iterations: u64) -> Result<Duration, Stopped> {
        let iterations = iterations.try_into().unwrap_or(u32::MAX);
        match self.paced {
            None => self.pace().await?,
            Some(_) if self.dear => {}
            Some(pace) => {
                let budget = pace.iteration.saturating_mul(iterations);
                self.round(budget, pace.calls).await?;
            }
        }
        let typical = match (self.recording.typical(Sampled::Variant), self.paced) {
            (Duration::ZERO, Some(pace)) => pace.typical,
            (typical, _) => typical,
        };
        // Criterion divides by it.
        let typical = typical.saturating_mul(iterations);
        Ok(typical.max(Duration::from_nanos(1)))
    }

    /// Finds out how long calls take, and so how many of them make a block.
    async fn pace(&mut self) -> Result<(), Stopped> {
        let started = Instant::now();
        let stores = self.connect().await?;
        let mut typical = [Duration::ZERO; 2];
        for side in SIDES {
            typical[side as usize] = self.warm_up(side, &stores).await?;
        }
        self.end(stores).await?;
        let slower = typical[0].max(typical[1]).max(Duration::from_nanos(1));
        if slower > DEAR && !self.pair.judged {
            for side in SIDES {
                if self.seat(side).is_some() {
                    self.recording.record(side, typical[side as usize]);
                }
            }
            self.recording.close_block();
            self.dear = true;
        }
        let calls = match self.pair.restore {
            Some(_) => 1,
            None => (BLOCK.as_nanos() / slower.as_nanos()).clamp(1, 10_000) as u64,
        };
        self.paced = Some(Pace {
            typical: typical[Sampled::Variant as usize].max(Duration::from_nanos(1)),
            calls,
            iteration: started.elapsed(),
        });
        Ok(())
    }

    async fn round(&mut self, budget: Duration, calls: u64) -> Result<(), Stopped> {
        let began = Instant::now();
        let stores = self.connect().await?;
        if self.pair.restore.is_none() {
            for side in SIDES {
                self.warm_up(side, &stores).await?;
            }
        }
        loop {
            if self.pair.callers > 1 {
                self.crowded_block(calls, &stores).await?;
            } else {
                self.block(calls, &stores).await?;
            }
            self.recording.close_block();
            self.settle(&stores).await?;
            if began.elapsed() >= budget || self.pair.restore.is_some() {
                break;
            }
        }
        self.recording.close_round();
        if self.rounds.is_multiple_of(DOUBTED_ONE_IN) {
            self.doubt(&stores).await?;
        }
        self.rounds += 1;
        self.end(stores).await?;
        self.recording.spend(began.elapsed());
        Ok(())
    }

    /// Fresh connections on both sides, in random order.
    async fn connect(&mut self) -> Result<[Option<Store>; 2], Stopped> {
        let first = self.first();
        let mut stores = [None, None];
        for side in [first, first.other()] {
            if let Some(seat) = self.seat(side) {
                let store = (seat.store)().await;
                stores[side as usize] = Some(store.map_err(|error| stopped(side, error.into()))?);
            }
        }
        Ok(stores)
    }

    /// Closes the connections, and gives back what nobody can take back row by row.
    async fn end(&mut self, stores: [Option<Store>; 2]) -> Result<(), Stopped> {
        for store in stores.into_iter().flatten() {
            store.close().await;
        }
        match &self.pair.restore {
            Some(restore) => restore()
                .await
                .map_err(|error| stopped(Sampled::Variant, error.into())),
            None => Ok(()),
        }
    }

    /// The side that comes first this time.
    fn first(&mut self) -> Sampled {
        SIDES[usize::from(self.random.random::<bool>())]
    }

    /// Uncounted calls of one side, by as many callers as there will be; the quickest one's time:
    /// one alone may have met a busy moment of the machine, or a cold one of its connection.
    async fn warm_up(
        &mut self,
        side: Sampled,
        stores: &[Option<Store>; 2],
    ) -> Result<Duration, Stopped> {
        let (Some(seat), Some(store)) = (self.seat(side), &stores[side as usize]) else {
            return Ok(Duration::ZERO);
        };
        let mut least = Duration::MAX;
        let calls = match self.pair.restore {
            Some(_) => 1,
            None => WARM_UP_CALLS,
        };
        for _ in 0..calls {
            let callers = (0..self.pair.callers).map(|_| waited(&seat.probe, store, false));
            let mut took = Duration::ZERO;
            for called in join_all(callers).await {
                took = called.map_err(|fault| stopped(side, fault))?;
            }
            least = least.min(took);
            if took > SLOW {
                break;
            }
        }
        self.settle_side(side, stores).await?;
        Ok(least)
    }

    /// As many calls of either side, one after the other in random order.
    async fn block(&mut self, calls: u64, stores: &[Option<Store>; 2]) -> Result<(), Stopped> {
        for _ in 0..calls {
            let first = self.first();
            for side in [first, first.other()] {
                let (Some(seat), Some(store)) = (self.seat(side), &stores[side as usize]) else {
                    continue;
                };
                let keep = side == Sampled::Variant;
                let took = seat.probe.call(store, keep).await;
                let took = took.map_err(|fault| stopped(side, fault))?;
                self.recording.record(side, took);
            }
        }
        Ok(())
    }

    /// As many calls by many callers at once, first of one side, then of the other.
    async fn crowded_block(
        &mut self,
        calls: u64,
        stores: &[Option<Store>; 2],
    ) -> Result<(), Stopped> {
        let first = self.first();
        for side in [first, first.other()] {
            let (Some(seat), Some(store)) = (self.seat(side), &stores[side as usize]) else {
                continue;
            };
            let callers = (0..self.pair.callers).map(|_| {
                let (probe, store) = (Arc::clone(&seat.probe), store.clone());
                tokio::spawn(async move {
                    let keep = side == Sampled::Variant;
                    let mut times = Vec::new();
                    for _ in 0..calls {
                        times.push(waited(&probe, &store, keep).await?);
                    }
                    Ok::<_, Fault>(times)
                })
            });
            for caller in join_all(callers).await {
                match caller {
                    Ok(times) => {
                        for took in times.map_err(|fault| stopped(side, fault))? {
                            self.recording.record(side, took);
                        }
                    }
                    Err(panicked) => resume_unwind(panicked.into_panic()),
                }
            }
        }
        Ok(())
    }

    /// What was written is taken back, what was kept is compared: the variant's first, since where
    /// both sides share a database, its answers are of one that holds what today's calls wrote.
    async fn settle(&mut self, stores: &[Option<Store>; 2]) -> Result<(), Stopped> {
        for side in [Sampled::Variant, Sampled::Baseline] {
            self.settle_side(side, stores).await?;
        }
        Ok(())
    }

    async fn settle_side(
        &mut self,
        side: Sampled,
        stores: &[Option<Store>; 2],
    ) -> Result<(), Stopped> {
        let (Some(seat), Some(store)) = (self.seat(side), &stores[side as usize]) else {
            return Ok(());
        };
        let settled = match side {
            // Today's timed answers are today's to answer for: the check has them.
            Sampled::Baseline => seat.probe.settle(store, &mut Tally::default()).await,
            Sampled::Variant => seat.probe.settle(store, self.tally).await,
        };
        settled.map_err(|error| stopped(side, error.into()))
    }

    /// The same is written between reads on both sides, so that neither is in another state than
    /// the other.
    async fn doubt(&mut self, stores: &[Option<Store>; 2]) -> Result<(), Stopped> {
        for side in SIDES {
            let (Some(seat), Some(store)) = (self.seat(side), &stores[side as usize]) else {
                continue;
            };
            let doubted = match side {
                Sampled::Baseline => seat.probe.doubt(store, &mut Tally::default()).await,
                Sampled::Variant => seat.probe.doubt(store, self.tally).await,
            };
            doubted.map_err(|error| stopped(side, error.into()))?;
        }
        Ok(())
    }
}

fn stopped(side: Sampled, fault: Fault) -> Stopped {
    Stopped { side, fault }
}

/// A call's time; of one that waited in vain for a connection, how long its caller waited.
pub(crate) async fn waited(
    probe: &Arc<dyn Probe>,
    store: &Store,
    keep: bool,
) -> Result<Duration, Fault> {
    let started = Instant::now();
    match probe.call(store, keep).await {
        Err(Fault::Variant(Refusal::TimedOut(_))) => Ok(started.elapsed()),
        called => called,
    }
}

#[cfg(test)]
mod tests;
