//! One operation at one place, called again and again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::{Difference, Oracle};
use verdict_store::{Error, Fault, Refusal, Store};

use super::ask::Asker;
use super::contract::{Ladder, Leaves, Operation, in_time};
use crate::tally::Tally;

/// Requests that a reading probe goes round in.
const DRAWN: usize = 64;

/// Writes that are drawn at most for one that makes another answer right.
const DRAWN_WRITES: usize = 8;

/// One operation at one place as one variant does it.
pub trait Probe: Send + Sync {
    /// Makes the next call and answers the time it took, with the drawing of its request left
    /// out. With `keep` its answer may be kept for [`Probe::settle`]: a few of those since the
    /// last one, drawn at random.
    fn call<'a>(&'a self, store: &'a Store, keep: bool) -> BoxFuture<'a, Result<Duration, Fault>>;

    /// Holds the kept answers to the oracle, and takes back what was written: as many rows as were
    /// acknowledged.
    fn settle<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Asks one of the requests that are called again and again around a write that makes another
    /// answer right, and when it is taken back: a copy that is kept of what is often asked for is
    /// stale then.
    fn doubt<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

pub(super) struct Drawn<O: Operation> {
    operation: Arc<O>,
    oracle: Arc<Oracle>,
    variant: VariantName,
    at: At,
    requests: Vec<O::Request>,
    state: Mutex<State<O>>,
}

struct State<O: Operation> {
    calls: usize,
    random: ChaCha8Rng,
    /// Answers that are kept for now, out of so many that might have been.
    kept: Vec<(O::Request, O::Answer)>,
    offered: usize,
    /// Answers that were held so far.
    held: usize,
    written: Vec<O::Request>,
    /// Rows that answers say are stored, and calls that had no answer and may have stored some.
    acknowledged: u64,
    unanswered: u64,
}

/// Answers of a timing that are held at least, where it makes as many calls.
const HELD: usize = 300;

/// Answers that are kept between two settlements: many until there are enough, for the timing may
/// be short, and then some to its end; fewer of writes, which are read back one by one.
const KEPT: (usize, usize) = (60, 12);
const KEPT_WRITES: (usize, usize) = (30, 4);

impl<O: Operation> State<O> {
    /// A reservoir: each of those that are offered between two settlements has the same chance.
    fn keep(&mut self, room: usize, request: O::Request, answer: O::Answer) {
        self.offered += 1;
        if self.kept.len() < room {
            self.kept.push((request, answer));
        } else if let Some(place) = self.kept.get_mut(self.random.random_range(0..self.offered)) {
            *place = (request, answer);
        }
    }
}

impl<O: Operation> Drawn<O> {
    /// The operation at a place as a variant does it; `None` where the world has no such place.
    pub fn at(
        operation: &Arc<O>,
        oracle: &Arc<Oracle>,
        variant: &VariantName,
        at: At,
    ) -> Option<Self> {
        let oracle = match operation.ladder() {
            Ladder::Rows => Arc::clone(oracle),
            Ladder::Events => Arc::new(oracle.cut(at.n)?),
        };
        let mut random = ChaCha8Rng::seed_from_u64(at.n);
        // A request that writes is made once; one that reads may come again.
        let ready = match operation.leaves() {
            Leaves::Nothing => DRAWN,
            Leaves::Rows | Leaves::Renew(_) => 1,
        };
        let requests = (0..ready)
            .map(|_| operation.at(&oracle, at, &mut random))
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            operation: Arc::clone(operation),
            oracle,
            variant: variant.clone(),
            at,
            requests,
            state: Mutex::new(State {
                calls: 0,
                random,
                kept: Vec::new(),
                offered: 0,
                held: 0,
                written: Vec::new(),
                acknowledged: 0,
                unanswered: 0,
            }),
        })
    }

    /// The store with the part of the world that the place is in.
    fn store(&self, store: &Store) -> Result<Store, Error> {
        if self.oracle.part().is_whole() {
            return Ok(store.clone());
        }
        store.rung(self.at.n).ok_or(Error::NoSuchRung(self.at.n))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> O::Request {
        let mut state = self.state();
        state.calls += 1;
        if self.operation.leaves() == Leaves::Nothing {
            return self.requests[state.calls % self.requests.len()].clone();
        }
        let drawn = self.operation.at(&self.oracle, self.at, &mut state.random);
        // It was there when the probe was made, and the world does not change.
        let request = drawn.unwrap_or_else(|| self.requests[0].clone());
        if self.operation.leaves() == Leaves::Rows {
            // Noted before it is made: one that is not answered may have written.
            state.written.push(request.clone());
        }
        request
    }
}

impl<O: Operation> Probe for Drawn<O> {
    fn call<'a>(&'a self, store: &'a Store, keep: bool) -> BoxFuture<'a, Result<Duration, Fault>> {
        Box::pin(async move {
            let (request, store) = (self.next(), &self.store(store)?);
            let started = Instant::now();
            let answer = in_time(self.operation.call(store, &self.variant, &request)).await;
            let took = started.elapsed();
            if matches!(answer, Err(Fault::Variant(Refusal::TimedOut(_)))) {
                store.client.timed_out();
            }
            {
                let mut state = self.state();
                match &answer {
                    Ok(answer) => state.acknowledged += self.operation.acknowledged(answer),
                    Err(_) => state.unanswered += 1,
                }
            }
            let answer = answer?;
            if keep {
                let (many, some) = match self.operation.leaves() {
                    Leaves::Nothing => KEPT,
                    Leaves::Rows | Leaves::Renew(_) => KEPT_WRITES,
                };
                let mut state = self.state();
                let room = if state.held < HELD { many } else { some };
                state.keep(room, request, answer);
            }
            Ok(took)
        })
    }

    fn settle<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let store = &self.store(store)?;
            let (kept, written, acknowledged, unanswered) = {
                let mut state = self.state();
                state.offered = 0;
                state.held += state.kept.len();
                (
                    std::mem::take(&mut state.kept),
                    std::mem::take(&mut state.written),
                    std::mem::take(&mut state.acknowledged),
                    std::mem::take(&mut state.unanswered),
                )
            };
            for (request, answer) in kept {
                let held = match self.operation.hold(&self.oracle, &request, &answer) {
                    Ok(()) => self.operation.hold_left(store, &request, &answer).await?,
                    wrong => wrong,
                };
                let name = self.operation.name();
                tally.record(format_args!("timed {name} {request:?}"), held);
            }
            if written.is_empty() {
                return Ok(());
            }
            let calls = written.len();
            let stored = self.operation.undo(store, written).await?;
            // A call without an answer may have stored a row, or not.
            if !(acknowledged..=acknowledged + unanswered).contains(&stored) {
                let name = self.operation.name();
                tally.record(
                    format_args!("{calls} calls of timed {name} at {}", self.at),
                    Err(Difference(format!(
                        "{acknowledged} rows were acknowledged, and {stored} were stored"
                    ))),
                );
            }
            Ok(())
        })
    }

    fn doubt<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            if self.operation.leaves() != Leaves::Nothing {
                return Ok(());
            }
            let mut random = ChaCha8Rng::seed_from_u64(self.state().random.random());
            let (oracle, operation) = (&*self.oracle, &*self.operation);
            let store = &self.store(store)?;
            let asker = Asker {
                operation,
                variant: &self.variant,
                store,
                calls: store,
                when: "timed ",
                until_wrong: false,
            };
            for _ in 0..DRAWN_WRITES {
                let request = &self.requests[random.random_range(0..self.requests.len())];
                let Some(write) = operation.write_between(oracle, request, &mut random) else {
                    continue;
                };
                let Some(answer) = asker.ask(oracle, request, tally).await? else {
                    break;
                };
                if operation
                    .hold(&oracle.with(&write), request, &answer)
                    .is_ok()
                {
                    continue;
                }
                asker
                    .around(oracle, request, write, &mut random, 1, tally)
                    .await?;
                break;
            }
            Ok(())
        })
    }
}
