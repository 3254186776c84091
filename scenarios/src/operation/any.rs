//! An operation whose types are erased, so that a trial holds a list of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use verdict_audit::{At, VariantName};
use verdict_oracle::Oracle;
use verdict_seed::World;
use verdict_store::{Error, Table};

use super::check::{Check, check};
use super::contract::{Between, Ladder, Leaves, Operation};
use super::probe::{Drawn, Probe};
use super::through::{Hands, Through};
use crate::tally::Tally;

/// An operation whose types are erased.
pub trait AnyOperation: Send + Sync {
    /// [`Operation::name`].
    fn name(&self) -> &'static str;
    /// [`Operation::rungs`].
    fn rungs(&self, world: &World) -> Vec<At>;
    /// [`Operation::ladder`].
    fn ladder(&self) -> Ladder;
    /// [`Operation::offered_by`].
    fn offered_by(&self, variant: &VariantName) -> bool;
    /// [`Operation::aside`].
    fn aside(&self) -> bool;
    /// [`Operation::writes`].
    fn writes(&self) -> &'static [Table];
    /// [`Operation::leaves`].
    fn leaves(&self) -> Leaves;
    /// [`Operation::between`].
    fn between(&self) -> Between;
    /// [`Operation::reads_back`].
    fn reads_back(&self) -> bool;
    /// The same operation with its answers through these hands and no others.
    fn through(&self, hands: Arc<dyn Hands>) -> Box<dyn AnyOperation>;
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

/// Erases an operation's types.
pub fn erase<O: Operation>(operation: O) -> Box<dyn AnyOperation> {
    Box::new(Erased(Arc::new(operation), None))
}

/// An operation, and whose hands its answers go through.
struct Erased<O>(Arc<O>, Option<Arc<dyn Hands>>);

impl<O: Operation> AnyOperation for Erased<O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        self.0.rungs(world)
    }

    fn ladder(&self) -> Ladder {
        self.0.ladder()
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

    fn between(&self) -> Between {
        self.0.between()
    }

    fn reads_back(&self) -> bool {
        self.0.reads_back()
    }

    fn through(&self, hands: Arc<dyn Hands>) -> Box<dyn AnyOperation> {
        Box::new(Self(Arc::clone(&self.0), Some(hands)))
    }

    fn check<'a>(
        &'a self,
        what: Check<'a>,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<BTreeSet<Table>, Error>> {
        Box::pin(async move {
            match &self.1 {
                Some(hands) => check(&Through::new(&self.0, hands), what, tally).await,
                None => check(&*self.0, what, tally).await,
            }
        })
    }

    fn probe(&self, oracle: &Arc<Oracle>, variant: &VariantName, at: At) -> Option<Arc<dyn Probe>> {
        if !self.0.offered_by(variant) {
            return None;
        }
        Some(match &self.1 {
            Some(hands) => {
                let through = Arc::new(Through::new(&self.0, hands));
                Arc::new(Drawn::at(&through, oracle, variant, at)?)
            }
            None => Arc::new(Drawn::at(&self.0, oracle, variant, at)?),
        })
    }
}
