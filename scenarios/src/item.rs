//! What an item's file in this crate has to say for the item to be put on trial.

use futures_util::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_audit::evidence::Answers;
use verdict_optimized::migration::Migration;
use verdict_seed::World;

use crate::error::Result;
use crate::session::Session;

/// One item on trial.
pub trait Item: Sync {
    /// The item's id in the audit's catalogue.
    fn id(&self) -> &'static str;

    /// What a variant changes in the schema; none when it runs on today's.
    fn migration(&self, variant: &VariantName) -> Option<Migration>;

    /// The tables the item's operations write; empty when it only reads.
    fn writes(&self) -> &'static [&'static str] {
        &[]
    }

    /// The tables whose size and indexes the item's migrations change.
    fn touches(&self) -> &'static [&'static str];

    /// The operations, each with the rungs it is tried at, ascending. The first one is the one
    /// that is timed when time is short.
    fn operations(&self, world: &World) -> Vec<Operation>;

    /// An operation at a rung as a variant does it; none when the variant does not offer it.
    fn probe(&self, world: &World, variant: &VariantName, operation: &str, n: u64)
    -> Option<Probe>;

    /// Compares a variant's answers with today's; for the baseline, today's with the
    /// generator's own.
    fn answers<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Result<Answers>>;
}

/// A part of an item that is measured by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name within the item.
    pub name: &'static str,
    /// The sizes it is tried at, ascending.
    pub rungs: Vec<u64>,
}

/// What a call leaves to be undone: the id of the row it wrote, if it wrote one.
pub type Trace = Option<Uuid>;

type Call =
    dyn Fn(PgPool, u64) -> BoxFuture<'static, verdict_baseline::Result<Trace>> + Send + Sync;
type Undo = dyn Fn(PgPool, Vec<Uuid>) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// One operation at one rung as one variant does it, to be called again and again.
pub struct Probe {
    call: Box<Call>,
    undo: Option<Box<Undo>>,
}

impl Probe {
    /// A probe that only reads. The function is given the number of the call, from 0, to choose
    /// its request by.
    pub fn reading<F, Fut>(call: F) -> Self
    where
        F: Fn(PgPool, u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = verdict_baseline::Result<()>> + Send + 'static,
    {
        Self {
            call: Box::new(move |pool, k| {
                let answer = call(pool, k);
                Box::pin(async move { answer.await.map(|()| None) })
            }),
            undo: None,
        }
    }

    /// A probe that writes a row per call, and how to take rows back.
    pub fn writing<F, Fut, U, UFut>(call: F, undo: U) -> Self
    where
        F: Fn(PgPool, u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = verdict_baseline::Result<Uuid>> + Send + 'static,
        U: Fn(PgPool, Vec<Uuid>) -> UFut + Send + Sync + 'static,
        UFut: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            call: Box::new(move |pool, k| {
                let answer = call(pool, k);
                Box::pin(async move { answer.await.map(Some) })
            }),
            undo: Some(Box::new(move |pool, rows| Box::pin(undo(pool, rows)))),
        }
    }

    /// Makes the `k`-th call.
    pub fn call(
        &self,
        pool: &PgPool,
        k: u64,
    ) -> impl Future<Output = verdict_baseline::Result<Trace>> + Send + use<> {
        (self.call)(pool.clone(), k)
    }

    /// Takes back what calls wrote.
    pub async fn undo(&self, pool: &PgPool, rows: Vec<Uuid>) -> Result<()> {
        match &self.undo {
            Some(undo) if !rows.is_empty() => undo(pool.clone(), rows).await,
            _ => Ok(()),
        }
    }
}
