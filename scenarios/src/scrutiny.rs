//! A variant put under scrutiny outside of a trial: its answers are held to the oracle as in a
//! trial, while its calls go another way than to the side itself. So it can be seen what it
//! sends, and whether a fault that is put in on the way is caught.

use std::collections::BTreeMap;

use verdict_audit::VariantName;
use verdict_seed::TableSum;
use verdict_store::{Change, Fault, Refusal, Store};

use crate::court::Court;
use crate::error::Result;
use crate::item::Item;
use crate::operation::{Check, Effort};
use crate::session::Role;
use crate::tally::Tally;
use crate::trial::{same_sums, written};

impl Court<'_> {
    /// Puts down what an item stands on, applies a variant's change, lets `look` at it, and takes
    /// all of it back; the engine's own words when it refuses the change.
    ///
    /// # Errors
    /// What the harness could not do. The side is as the world has it then.
    pub fn scrutinise<T>(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        change: &Change,
        look: impl FnOnce() -> Result<T>,
    ) -> Result<std::result::Result<T, Refusal>> {
        let (session, role) = (self.session, Role::of(variant));
        let looked = || {
            self.cut(item)?;
            self.runtime.block_on(session.add_hostile(item.hostile()))?;
            self.put_down(item, role)?;
            let seen = match self.runtime.block_on(session.apply(role, change)) {
                Ok(_) => {
                    let seen = look()?;
                    self.take_back(item, variant, role, change)?;
                    self.take_back(item, &VariantName::Baseline, role, &item.ground())?;
                    Ok(seen)
                }
                Err(Fault::Variant(refusal)) => {
                    self.runtime.block_on(session.renew(role))?;
                    Err(refusal)
                }
                Err(Fault::Harness(error)) => return Err(error.into()),
            };
            self.runtime.block_on(session.uncut())?;
            Ok(seen)
        };
        let looked = looked();
        if looked.is_err() {
            // As after a trial that could not be held: the first error is told.
            let _ = self.runtime.block_on(session.uncut());
            let _ = self.runtime.block_on(session.renew(role));
        }
        looked
    }

    /// Holds a variant's answers of every operation to the oracle, on the requests that a trial
    /// draws, with its calls by way of another store; with `until_wrong`, up to the first that
    /// is wrong.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn checks_over(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        calls: &Store,
        until_wrong: bool,
    ) -> Result<Tally> {
        let (session, role) = (self.session, Role::of(variant));
        let mut tally = Tally::default();
        for operation in item.operations() {
            // What an operation leaves may have made the side anew.
            let store = session.store_of(role);
            let check = Check {
                oracle: session.oracle(),
                store: &store,
                calls,
                variant,
                effort: Effort::trial(session.answers()),
                seed: self.seed(item, &*operation),
                until_wrong,
            };
            self.runtime.block_on(operation.check(check, &mut tally))?;
            self.given_back(role, &*operation)?;
            if until_wrong && tally.differs() {
                break;
            }
        }
        Ok(tally)
    }

    /// An item's histories of a variant by way of another store, which is the harness's too while
    /// they go on: they write and read back by themselves.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn histories_over(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        calls: &Store,
    ) -> Result<Tally> {
        let (session, role) = (self.session, Role::of(variant));
        let mut tally = Tally::default();
        let own = session.exchange(role, calls.clone());
        let histories = item.histories(session, variant, &mut tally);
        let heard = self.runtime.block_on(histories);
        session.exchange(role, own);
        self.heard(item, variant, heard, &mut tally)?;
        Ok(tally)
    }

    /// Takes a variant's change back, and makes it again by way of another store, which is used
    /// up; the engine's own words when it refuses. Then the side stands without it.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn change_over(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        change: &Change,
        by: Store,
    ) -> Result<std::result::Result<(), Refusal>> {
        let (session, role) = (self.session, Role::of(variant));
        self.take_back(item, variant, role, change)?;
        let own = session.exchange(role, by);
        self.runtime.block_on(own.close());
        match self.runtime.block_on(session.apply(role, change)) {
            Ok(_) => Ok(Ok(())),
            Err(Fault::Variant(refusal)) => {
                self.runtime.block_on(session.renew(role))?;
                self.put_down(item, role)?;
                Ok(Err(refusal))
            }
            Err(Fault::Harness(error)) => Err(error.into()),
        }
    }

    /// Makes a variant's change as it is, whether [`Self::change_over`] made it otherwise or
    /// not at all.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn change_again(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        change: &Change,
    ) -> Result<()> {
        let (session, role) = (self.session, Role::of(variant));
        self.runtime.block_on(session.renew(role))?;
        self.put_down(item, role)?;
        match self.runtime.block_on(session.apply(role, change)) {
            Ok(_) => Ok(()),
            // It was applied before, to the same tables.
            Err(Fault::Variant(refusal)) => {
                Err(verdict_store::Error::NotRenewed(refusal.to_string()).into())
            }
            Err(Fault::Harness(error)) => Err(error.into()),
        }
    }

    /// Rows and checksums of the tables that an item writes, on a variant's side.
    ///
    /// # Errors
    /// When an engine refuses, or is away.
    pub fn sums(
        &self,
        item: &dyn Item,
        variant: &VariantName,
    ) -> Result<BTreeMap<String, TableSum>> {
        self.checksums_of(item, Role::of(variant))
    }

    /// Gives the tables that an item writes back as they were, where calls left something that
    /// nobody took back: a message under another id than the one that was asked for.
    ///
    /// # Errors
    /// When they cannot be had as they were.
    pub fn restore(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        before: &BTreeMap<String, TableSum>,
    ) -> Result<()> {
        if self.sums(item, variant)? == *before {
            return Ok(());
        }
        let tables: Vec<_> = written(item).into_iter().collect();
        let given = self.session.give_back(Role::of(variant), &tables);
        self.runtime.block_on(given)?;
        same_sums(item, before, &self.sums(item, variant)?)
    }
}
