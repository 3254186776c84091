//! An operation: how its requests are drawn, how it is called, and what a right answer is.
//!
//! The check, the samples of the timed calls and the samples of the load hold answers to one
//! comparator, [`Operation::hold`]. [`AnyOperation`] erases the types, so that a trial holds a
//! list of them.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::{Difference, Held, Oracle, Write, write};
use verdict_seed::World;
use verdict_store::{Error, Fault, Refusal, Store, Table};

use crate::tally::Tally;

/// What calls leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// Nothing.
    Nothing,
    /// Rows, which [`Operation::undo`] takes back.
    Rows,
    /// Changes that nobody can take back row by row: these tables are given back as the world
    /// has them.
    Renew(&'static [Table]),
}

/// A part of an item that is measured by itself.
pub trait Operation: Send + Sync + 'static {
    /// What is asked.
    type Request: Clone + Debug + Send + Sync + 'static;
    /// What is answered; a refusal that is part of the contract is an answer.
    type Answer: Send + Sync + 'static;

    /// Its name within the item, as in the audit's catalogue.
    fn name(&self) -> &'static str;

    /// Where it is measured, ascending.
    fn rungs(&self, world: &World) -> Vec<At>;

    /// Whether a variant offers it.
    fn offered_by(&self, _variant: &VariantName) -> bool {
        true
    }

    /// Whether it is counted beside the others, to explain them, and neither timed nor judged.
    fn aside(&self) -> bool {
        false
    }

    /// The tables it writes.
    fn writes(&self) -> &'static [Table] {
        &[]
    }

    /// What its calls leave behind.
    fn leaves(&self) -> Leaves {
        Leaves::Nothing
    }

    /// A request as it is measured at a place; `None` where the world has no such place.
    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Self::Request>;

    /// A request over every parameter, hostile ones too.
    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Self::Request;

    /// A write after which another answer to the request is right, so that equal reads with it
    /// between them tell a copy that was kept from the rows. None where there is none.
    fn write_between(
        &self,
        _oracle: &Oracle,
        _request: &Self::Request,
        _random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        None
    }

    /// Makes a write, or one that is turned round, the way a variant would have it made: a cache is
    /// told of it, a copy brought up to date. As a rule that is no other way than today's.
    fn write(
        &self,
        store: &Store,
        _variant: &VariantName,
        write: &Write,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        async move { Ok(write::apply(&store.postgres, write).await?) }
    }

    /// Calls a variant.
    fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Whether an answer is right, whole.
    ///
    /// # Errors
    /// What is wrong with it.
    fn hold(&self, oracle: &Oracle, request: &Self::Request, answer: &Self::Answer) -> Held;

    /// Whether what a call left in the store is right; asked before it is taken back.
    fn hold_left(
        &self,
        _store: &Store,
        _request: &Self::Request,
        _answer: &Self::Answer,
    ) -> impl Future<Output = Result<Held, Error>> + Send {
        std::future::ready(Ok(Ok(())))
    }

    /// Takes back what calls wrote, also those that were never answered.
    fn undo(
        &self,
        _store: &Store,
        _requests: Vec<Self::Request>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }
}

/// A fault of a call to a variant of this name that the item does not have: a fault of the
/// harness, never another variant's call.
pub fn no_such_variant(variant: &VariantName) -> Fault {
    Fault::Harness(Error::NoSuchVariant(variant.to_string()))
}

/// How long a call may stay without an answer: longer than the engines themselves are told to
/// take over a statement, so that only one that is stuck is given up.
const PATIENCE: Duration = Duration::from_secs(900);

/// Gives up on an answer that does not come.
async fn in_time<T>(call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, call)
        .await
        .unwrap_or_else(|_| Err(Fault::Harness(Error::NoAnswer(PATIENCE))))
}

/// An operation whose types are erased.
pub trait AnyOperation: Send + Sync {
    /// [`Operation::name`].
    fn name(&self) -> &'static str;
    /// [`Operation::rungs`].
    fn rungs(&self, world: &World) -> Vec<At>;
    /// [`Operation::offered_by`].
    fn offered_by(&self, variant: &VariantName) -> bool;
    /// [`Operation::aside`].
    fn aside(&self) -> bool;
    /// [`Operation::writes`].
    fn writes(&self) -> &'static [Table];
    /// [`Operation::leaves`].
    fn leaves(&self) -> Leaves;
    /// Holds so many answers of a variant to the oracle, to drawn requests, one after the other,
    /// some of them asked again after a write; the tables that were written meanwhile.
    fn check<'a>(
        &'a self,
        check: Check<'a>,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<BTreeSet<Table>, Error>>;
    /// The operation at a place as a variant does it, to be called again and again; `None` where
    /// the variant does not offer it, or the world has no such place.
    fn probe(&self, oracle: &Arc<Oracle>, variant: &VariantName, at: At) -> Option<Arc<dyn Probe>>;
}

/// What a check needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// What is right.
    pub oracle: &'a Oracle,
    /// Where the variant runs, and what it left is read back.
    pub store: &'a Store,
    /// By way of which the variant itself is called: [`Self::store`], or a line to it.
    pub calls: &'a Store,
    /// Which variant.
    pub variant: &'a VariantName,
    /// Answers that are held at least.
    pub answers: u64,
    /// The seed that they are drawn from.
    pub seed: u64,
    /// Whether the first wrong answer is enough.
    pub until_wrong: bool,
}

/// Erases an operation's types.
pub fn erase<O: Operation>(operation: O) -> Box<dyn AnyOperation> {
    Box::new(Erased(Arc::new(operation)))
}

struct Erased<O>(Arc<O>);

/// A variant that is slow is asked less: for this many answers to requests that are drawn as the
/// others are, and then only for so long.
const LEAST: u64 = 30;
const LONG: Duration = Duration::from_secs(2);

/// Of so many requests, one is asked again after a write, and again when it is taken back.
const WRITES_ONE_IN: u64 = 4;

impl<O: Operation> Erased<O> {
    /// Asks once, and holds the answer and what it left.
    async fn ask(
        &self,
        check: Check<'_>,
        oracle: &Oracle,
        request: &O::Request,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let Check {
            store,
            calls,
            variant,
            ..
        } = check;
        let held = match in_time(self.0.call(calls, variant, request)).await {
            Ok(answer) => match self.0.hold(oracle, request, &answer) {
                Ok(()) => self.0.hold_left(store, request, &answer).await?,
                wrong => wrong,
            },
            Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => return Err(error),
        };
        tally.record(format_args!("{} {request:?}", self.0.name()), held);
        Ok(())
    }
}

impl<O: Operation> Erased<O> {
    async fn take_back(&self, check: Check<'_>, write: Write) -> Result<(), Error> {
        let back = write.back();
        match self.0.write(check.store, check.variant, &back).await {
            Err(Fault::Variant(refusal)) => Err(Error::NotRenewed(refusal.to_string())),
            Err(Fault::Harness(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }
}

impl<O: Operation> AnyOperation for Erased<O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        self.0.rungs(world)
    }

    fn offered_by(&self, variant: &VariantName) -> bool {
        self.0.offered_by(variant)
    }

    fn aside(&self) -> bool {
        self.0.aside()
    }

    fn writes(&self) -> &'static [Table] {
        self.0.writes()
    }

    fn leaves(&self) -> Leaves {
        self.0.leaves()
    }

    fn check<'a>(
        &'a self,
        check: Check<'a>,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<BTreeSet<Table>, Error>> {
        Box::pin(async move {
            let mut written = BTreeSet::new();
            if !self.0.offered_by(check.variant) {
                return Ok(written);
            }
            let mut random = ChaCha8Rng::seed_from_u64(check.seed);
            let started = Instant::now();
            let before = tally.checked();
            for number in 0u64.. {
                let answers = tally.checked() - before;
                let enough = answers >= LEAST && started.elapsed() > LONG;
                if answers >= check.answers || enough || check.until_wrong && tally.differs() {
                    break;
                }
                let request = self.0.draw(check.oracle, &mut random);
                self.ask(check, check.oracle, &request, tally).await?;
                if self.0.leaves() == Leaves::Rows {
                    written.extend(self.0.writes());
                    self.0.undo(check.store, vec![request.clone()]).await?;
                }
                if !number.is_multiple_of(WRITES_ONE_IN) {
                    continue;
                }
                let between = self.0.write_between(check.oracle, &request, &mut random);
                if let Some(write) = between {
                    match self.0.write(check.store, check.variant, &write).await {
                        Ok(()) => written.extend(write.tables()),
                        // A schema that takes no such row any more is the variant's doing.
                        Err(
                            Fault::Harness(Error::Refused { words, .. })
                            | Fault::Variant(Refusal::Refused(words) | Refusal::TimedOut(words)),
                        ) => {
                            tally.record(format_args!("{write:?}"), Err(Difference(words)));
                            continue;
                        }
                        Err(Fault::Harness(error)) => return Err(error),
                    }
                    let asked = self
                        .ask(check, &check.oracle.with(&write), &request, tally)
                        .await;
                    self.take_back(check, write).await?;
                    asked?;
                    self.ask(check, check.oracle, &request, tally).await?;
                }
            }
            Ok(written)
        })
    }

    fn probe(&self, oracle: &Arc<Oracle>, variant: &VariantName, at: At) -> Option<Arc<dyn Probe>> {
        if !self.0.offered_by(variant) {
            return None;
        }
        let mut random = ChaCha8Rng::seed_from_u64(at.n);
        // A request that writes is made once; one that reads may come again.
        let ready = match self.0.leaves() {
            Leaves::Nothing => DRAWN,
            Leaves::Rows | Leaves::Renew(_) => 1,
        };
        let requests = (0..ready)
            .map(|_| self.0.at(oracle, at, &mut random))
            .collect::<Option<Vec<_>>>()?;
        Some(Arc::new(Drawn {
            operation: Arc::clone(&self.0),
            oracle: Arc::clone(oracle),
            variant: variant.clone(),
            at,
            requests,
            state: Mutex::new(State {
                calls: 0,
                random,
                kept: Vec::new(),
                offered: 0,
                written: Vec::new(),
            }),
        }))
    }
}

/// Requests that a reading probe goes round in.
const DRAWN: usize = 64;

/// One operation at one place as one variant does it.
pub trait Probe: Send + Sync {
    /// Makes the next call and answers the time it took, with the drawing of its request left
    /// out. With `keep` its answer may be kept for [`Probe::settle`]: a few of those since the
    /// last one, drawn at random.
    fn call<'a>(&'a self, store: &'a Store, keep: bool) -> BoxFuture<'a, Result<Duration, Fault>>;

    /// Holds the kept answers to the oracle, and takes back what was written.
    fn settle<'a>(
        &'a self,
        store: &'a Store,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

struct Drawn<O: Operation> {
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
    written: Vec<O::Request>,
}

/// Answers that are kept between two settlements, so that there are 300 of a short timing and as
/// many of its end as of its beginning; fewer of writes, which are read back one by one.
const KEPT: usize = 12;
const KEPT_WRITES: usize = 4;

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
            let request = self.next();
            let started = Instant::now();
            let answer = in_time(self.operation.call(store, &self.variant, &request)).await;
            let took = started.elapsed();
            if matches!(answer, Err(Fault::Variant(Refusal::TimedOut(_)))) {
                store.client.timed_out();
            }
            let answer = answer?;
            if keep {
                let room = match self.operation.leaves() {
                    Leaves::Nothing => KEPT,
                    Leaves::Rows | Leaves::Renew(_) => KEPT_WRITES,
                };
                self.state().keep(room, request, answer);
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
            let (kept, written) = {
                let mut state = self.state();
                state.offered = 0;
                (
                    std::mem::take(&mut state.kept),
                    std::mem::take(&mut state.written),
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
            self.operation.undo(store, written).await
        })
    }
}
