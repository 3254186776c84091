//! A right operation with one fault put into its optimized variant.

use std::collections::HashMap;
use std::sync::Mutex;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::{Held, Oracle, Write};
use verdict_scenarios::operation::{Leaves, Operation};
use verdict_seed::World;
use verdict_store::{Error, Fault as StoreFault, Store, Table};

/// What goes wrong when it strikes, of requests `R` and answers `A`.
pub enum Fault<R, A> {
    /// Something else is asked for.
    Asked(fn(&mut R)),
    /// The right answer is altered.
    Answered(fn(&mut A)),
    /// The right answer is mixed up with the one before it.
    Mixed(fn(&mut A, &A)),
    /// What was stored is altered; how many rows that were.
    Left(for<'a> fn(&'a Store, &'a R) -> BoxFuture<'a, u64>),
    /// Nothing is done, and an answer given.
    Instead(fn(&R) -> A),
    /// Every request is answered as it was the first time.
    Kept,
    /// After so many calls, there is no more to be had.
    Exhausted(u64, fn() -> A),
    /// Nothing.
    None,
}

impl<R, A> Clone for Fault<R, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, A> Copy for Fault<R, A> {}

/// A fault of an operation.
pub type FaultOf<O> = Fault<<O as Operation>::Request, <O as Operation>::Answer>;

/// An operation whose optimized variant has a fault. It strikes in one call of so many; where it
/// would change nothing, in the next one that it changes.
pub struct Sabotaged<O: Operation> {
    inner: O,
    fault: FaultOf<O>,
    one_in: u64,
    state: Mutex<State<O::Answer>>,
}

struct State<A> {
    calls: u64,
    due: bool,
    first: HashMap<String, A>,
    previous: Option<A>,
}

impl<O: Operation> Sabotaged<O> {
    pub fn new(inner: O, fault: FaultOf<O>, one_in: u64) -> Self {
        Self {
            inner,
            fault,
            one_in,
            state: Mutex::new(State {
                calls: 0,
                due: false,
                first: HashMap::new(),
                previous: None,
            }),
        }
    }
}

impl<O> Operation for Sabotaged<O>
where
    O: Operation,
    O::Answer: Clone + PartialEq,
{
    type Request = O::Request;
    type Answer = O::Answer;

    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn rungs(&self, world: &World) -> Vec<At> {
        self.inner.rungs(world)
    }
    fn offered_by(&self, variant: &VariantName) -> bool {
        self.inner.offered_by(variant)
    }
    fn writes(&self) -> &'static [Table] {
        self.inner.writes()
    }
    fn leaves(&self) -> Leaves {
        self.inner.leaves()
    }
    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<O::Request> {
        self.inner.at(oracle, at, random)
    }
    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> O::Request {
        self.inner.draw(oracle, random)
    }
    fn write_between(
        &self,
        oracle: &Oracle,
        request: &O::Request,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        self.inner.write_between(oracle, request, random)
    }
    async fn write(
        &self,
        store: &Store,
        variant: &VariantName,
        write: &Write,
    ) -> Result<(), StoreFault> {
        self.inner.write(store, variant, write).await
    }
    fn hold(&self, oracle: &Oracle, request: &O::Request, answer: &O::Answer) -> Held {
        self.inner.hold(oracle, request, answer)
    }
    async fn hold_left(
        &self,
        store: &Store,
        request: &O::Request,
        answer: &O::Answer,
    ) -> Result<Held, Error> {
        self.inner.hold_left(store, request, answer).await
    }
    async fn undo(&self, store: &Store, requests: Vec<O::Request>) -> Result<(), Error> {
        self.inner.undo(store, requests).await
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &O::Request,
    ) -> Result<O::Answer, StoreFault> {
        let right = |request| self.inner.call(store, variant, request);
        if *variant != VariantName::Optimized {
            return right(request).await;
        }
        let (calls, due) = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            state.due |= state.calls.is_multiple_of(self.one_in);
            (state.calls, state.due)
        };
        let (answer, struck) = match &self.fault {
            Fault::None => (right(request).await?, false),
            Fault::Asked(alter) => {
                let answer = right(request).await?;
                let mut other = request.clone();
                alter(&mut other);
                let other = right(&other).await?;
                match due && other != answer {
                    true => (other, true),
                    false => (answer, false),
                }
            }
            Fault::Answered(alter) => {
                let answer = right(request).await?;
                let mut altered = answer.clone();
                alter(&mut altered);
                match due && altered != answer {
                    true => (altered, true),
                    false => (answer, false),
                }
            }
            Fault::Mixed(mix) => {
                let answer = right(request).await?;
                let mut state = self.state.lock().unwrap();
                let previous = state.previous.replace(answer.clone());
                let mut mixed = answer.clone();
                if let Some(previous) = previous {
                    mix(&mut mixed, &previous);
                }
                match due && mixed != answer {
                    true => (mixed, true),
                    false => (answer, false),
                }
            }
            Fault::Left(alter) => {
                let answer = right(request).await?;
                let struck = due && alter(store, request).await > 0;
                (answer, struck)
            }
            Fault::Instead(answer) => match due {
                true => (answer(request), true),
                false => (right(request).await?, false),
            },
            Fault::Kept => {
                let answer = right(request).await?;
                let mut state = self.state.lock().unwrap();
                let first = state.first.entry(format!("{request:?}"));
                (first.or_insert(answer).clone(), false)
            }
            Fault::Exhausted(after, answer) => match calls > *after {
                true => (answer(), false),
                false => (right(request).await?, false),
            },
        };
        if struck {
            self.state.lock().unwrap().due = false;
        }
        Ok(answer)
    }
}
