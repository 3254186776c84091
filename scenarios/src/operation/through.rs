//! An operation whose answers go through other hands on their way: so it is tried whether a
//! fault that any operation can have would be seen, without knowing which operation it is.

use std::any::Any;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::{Difference, Held, Oracle, Write};
use verdict_seed::World;
use verdict_store::{Error, Fault, Store, Table};

use super::contract::{Between, Ladder, Leaves, Operation};

/// An answer of any type.
pub type Answer = Arc<dyn Any + Send + Sync>;

/// Who passes answers on.
pub trait Hands: Send + Sync {
    /// What is passed on in the place of a variant's answer to a request, which is told in words:
    /// as a rule the answer itself.
    fn pass(&self, variant: &VariantName, request: &str, answer: Answer) -> Answer;
}

pub(super) struct Through<O> {
    inner: Arc<O>,
    hands: Arc<dyn Hands>,
}

impl<O> Through<O> {
    pub fn new(inner: &Arc<O>, hands: &Arc<dyn Hands>) -> Self {
        Self {
            inner: Arc::clone(inner),
            hands: Arc::clone(hands),
        }
    }
}

/// An answer of another type than the operation's is no answer of it.
fn foreign() -> Difference {
    Difference("the answer is of another operation".to_owned())
}

impl<O: Operation> Operation for Through<O> {
    type Request = O::Request;
    type Answer = Answer;

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

    fn aside(&self) -> bool {
        self.inner.aside()
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

    fn between(&self) -> Between {
        self.inner.between()
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
    ) -> Result<(), Fault> {
        self.inner.write(store, variant, write).await
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &O::Request,
    ) -> Result<Answer, Fault> {
        let answer = self.inner.call(store, variant, request).await?;
        let words = format!("{request:?}");
        Ok(self.hands.pass(variant, &words, Arc::new(answer)))
    }

    fn hold(&self, oracle: &Oracle, request: &O::Request, answer: &Answer) -> Held {
        let answer = answer.downcast_ref().ok_or_else(foreign)?;
        self.inner.hold(oracle, request, answer)
    }

    fn acknowledged(&self, answer: &Answer) -> u64 {
        let answer = answer.downcast_ref();
        answer.map_or(0, |answer| self.inner.acknowledged(answer))
    }

    fn reads_back(&self) -> bool {
        self.inner.reads_back()
    }

    async fn hold_left(
        &self,
        store: &Store,
        request: &O::Request,
        answer: &Answer,
    ) -> Result<Held, Error> {
        match answer.downcast_ref() {
            Some(answer) => self.inner.hold_left(store, request, answer).await,
            None => Ok(Err(foreign())),
        }
    }

    async fn undo(&self, store: &Store, requests: Vec<O::Request>) -> Result<u64, Error> {
        self.inner.undo(store, requests).await
    }
}
