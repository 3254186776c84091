//! What an item's file has to say for the item to be put on trial.

use futures_util::future::BoxFuture;
use verdict_audit::VariantName;
use verdict_audit::evidence::Price;
use verdict_oracle::Hostile;
use verdict_store::Change;

use crate::error::Result;
use crate::operation::AnyOperation;
use crate::session::Session;
use crate::tally::Tally;

/// One item on trial.
pub trait Item: Sync {
    /// The item's id in the audit's catalogue.
    fn id(&self) -> &'static str;

    /// What it stands on, put down on both sides first and taken away at the end, such as the
    /// tables that another item brings.
    fn ground(&self) -> Change {
        Change::NONE
    }

    /// The rows it needs that no ordinary world has.
    fn hostile(&self) -> &'static [Hostile] {
        &[]
    }

    /// Why today is kept: said where nothing that was tried beats it, and a gate then holds that
    /// it stays so. The variants are the evidence of what lost.
    fn keep(&self) -> Option<&'static str> {
        None
    }

    /// Whether it is told what each index is for: which calls of all items look into it.
    fn tells_uses(&self) -> bool {
        false
    }

    /// Every variant with what it changes, the baseline first.
    fn variants(&self) -> Vec<(VariantName, Change)>;

    /// What is measured, each by itself.
    fn operations(&self) -> Vec<Box<dyn AnyOperation>>;

    /// What a variant costs beside what every change is priced by, while it stands.
    fn prices<'a>(
        &'a self,
        _session: &'a Session<'_>,
        _variant: &'a VariantName,
    ) -> BoxFuture<'a, Result<Vec<Price>>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// What is no single call: histories of writes, races, a migration under traffic.
    fn histories<'a>(
        &'a self,
        _session: &'a Session<'_>,
        _variant: &'a VariantName,
        _tally: &'a mut Tally,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
