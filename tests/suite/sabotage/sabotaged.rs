//! A right operation with one fault put into its optimized variant.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::write::Kind;
use verdict_oracle::{Held, Oracle, Write};
use verdict_scenarios::operation::{Between, Ladder, Leaves, Operation};
use verdict_seed::World;
use verdict_store::{Error, Fault as StoreFault, Store, Table};

use crate::common::Chance;

/// What goes wrong when it strikes, of requests `R` and answers `A`.
pub enum Fault<R, A> {
    /// Something else is asked for.
    Asked(fn(&mut R)),
    /// The right answer is altered.
    Answered(fn(&mut A)),
    /// The right answer is mixed up with the one before it.
    Mixed(fn(&mut A, &A)),
    /// The answer to another request, if there is one, is joined to the right one.
    Joined(fn(&R) -> Option<R>, fn(&mut A, A)),
    /// What was stored is altered; how many rows that were.
    Left(for<'a> fn(&'a Store, &'a R) -> BoxFuture<'a, u64>),
    /// Nothing is done, and an answer given.
    Instead(fn(&R) -> A),
    /// There is no more to be had where something is not found.
    Unless(
        for<'a> fn(&'a Store, &'a R) -> BoxFuture<'a, bool>,
        fn() -> A,
    ),
    /// A copy is kept of what is asked for so often, and dropped by writes of the kinds that are
    /// thought of.
    Copied(u64, fn(Kind) -> bool),
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

/// An operation whose optimized variant has a fault. It strikes in one call of so many, at seeded
/// places; where it would change nothing, in the next one that it changes.
pub struct Sabotaged<O: Operation> {
    inner: O,
    fault: FaultOf<O>,
    state: Mutex<State<O::Answer>>,
}

struct State<A> {
    chance: Chance,
    /// By request, how often it was asked, and the copy.
    copies: HashMap<String, (u64, Option<A>)>,
    previous: Option<A>,
}

impl<O: Operation> Sabotaged<O> {
    pub fn new(inner: O, fault: FaultOf<O>, one_in: u64) -> Self {
        Self::after(0, inner, fault, one_in)
    }

    /// With so many calls first that are right.
    pub fn after(calls: u64, inner: O, fault: FaultOf<O>, one_in: u64) -> Self {
        Self {
            inner,
            fault,
            state: Mutex::new(State {
                chance: Chance::new(one_in, calls),
                copies: HashMap::new(),
                previous: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<O::Answer>> {
        self.state.lock().unwrap()
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
    fn ladder(&self) -> Ladder {
        self.inner.ladder()
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
    fn between(&self) -> Between {
        self.inner.between()
    }
    fn reads_back(&self) -> bool {
        self.inner.reads_back()
    }
    fn acknowledged(&self, answer: &O::Answer) -> u64 {
        self.inner.acknowledged(answer)
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
        if let Fault::Copied(_, thought_of) = &self.fault
            && thought_of(write.kind)
        {
            self.state().copies.clear();
        }
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
    async fn undo(&self, store: &Store, requests: Vec<O::Request>) -> Result<u64, Error> {
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
        let due = self.state().chance.strikes();
        // Where an answer would be no other, nothing has struck.
        let other = |wrong: O::Answer, answer: O::Answer| match due && wrong != answer {
            true => (wrong, true),
            false => (answer, false),
        };
        let (answer, struck) = match &self.fault {
            Fault::None => (right(request).await?, false),
            Fault::Asked(alter) => {
                let answer = right(request).await?;
                let mut another = request.clone();
                alter(&mut another);
                other(right(&another).await?, answer)
            }
            Fault::Answered(alter) => {
                let answer = right(request).await?;
                let mut altered = answer.clone();
                alter(&mut altered);
                other(altered, answer)
            }
            Fault::Mixed(mix) => {
                let answer = right(request).await?;
                let previous = self.state().previous.replace(answer.clone());
                let mut mixed = answer.clone();
                if let Some(previous) = previous {
                    mix(&mut mixed, &previous);
                }
                other(mixed, answer)
            }
            Fault::Joined(more, join) => {
                let answer = right(request).await?;
                let mut joined = answer.clone();
                if let Some(more) = more(request) {
                    join(&mut joined, right(&more).await?);
                }
                other(joined, answer)
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
            Fault::Unless(found, answer) => {
                let right = right(request).await?;
                match found(store, request).await {
                    true => (right, false),
                    false => other(answer(), right),
                }
            }
            Fault::Copied(often, _) => {
                let answer = right(request).await?;
                let mut state = self.state();
                let copy = state.copies.entry(format!("{request:?}")).or_default();
                copy.0 += 1;
                if copy.0 >= *often {
                    copy.1.get_or_insert_with(|| answer.clone());
                }
                (copy.1.clone().unwrap_or(answer), true)
            }
        };
        if due && !struck {
            self.state().chance.give_back();
        }
        Ok(answer)
    }
}
