//! Where items are heard: who runs, who watches, what the clock is.

use criterion::Criterion;
use tokio::runtime::Runtime;
use verdict_audit::{Finding, VariantName, Warning};
use verdict_store::Change;

use crate::error::Result;
use crate::item::Item;
use crate::operation::{AnyOperation, Leaves};
use crate::session::{Role, Session};

/// What a trial tells while it goes on.
pub trait Watcher {
    /// A step of a variant's trial begins.
    fn step(&self, item: &str, variant: &VariantName, step: &str);
    /// Something a reader of the results has to know.
    fn warn(&self, warning: Warning);
}

/// How to time: criterion, and which of its benches were asked for.
pub struct Clockwork<'a> {
    /// Criterion, configured.
    pub criterion: &'a mut Criterion,
    /// Whether a bench, by its full name, was asked for.
    pub selected: &'a dyn Fn(&str) -> bool,
    /// Whether anything is timed, prices with it; else answers and work are all.
    pub timed: bool,
}

/// Everything a trial needs.
pub struct Court<'a> {
    /// Runs the asynchronous steps.
    pub runtime: &'a Runtime,
    /// Where the trial is held.
    pub session: &'a Session<'a>,
    /// Every item there is: a change is priced by all of them.
    pub items: &'a [&'a dyn Item],
    /// Told of progress.
    pub watcher: &'a dyn Watcher,
}

/// One variant of one item on trial.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub item: &'a dyn Item,
    pub finding: &'a Finding,
    pub variant: &'a VariantName,
    pub change: &'a Change,
}

impl Case<'_> {
    pub fn role(&self) -> Role {
        Role::of(self.variant)
    }
}

impl Court<'_> {
    /// Gives back what an operation leaves that cannot be taken back row by row.
    pub(crate) fn given_back(&self, role: Role, operation: &dyn AnyOperation) -> Result<()> {
        match operation.leaves() {
            Leaves::Renew(tables) => self.runtime.block_on(self.session.give_back(role, tables)),
            Leaves::Nothing | Leaves::Rows => Ok(()),
        }
    }
}
