//! A part of the world on a variant's side, on which a history plays, and which is made anew
//! after it.

use std::fmt::Display;

use clickhouse::sql::Identifier;
use verdict_audit::VariantName;
use verdict_baseline::engagement_rollup::{AffinityRequest, MetricsRequest};
use verdict_oracle::{Difference, Oracle};
use verdict_store::fault::Doing;
use verdict_store::{Error, Fault, Store};

use super::{PostMetrics, UserAuthor};
use crate::error::Result;
use crate::operation::Operation;
use crate::parts;
use crate::session::{Role, Session};
use crate::tally::Tally;

/// A part of the world on a side.
pub(super) struct Scene<'a> {
    session: &'a Session<'a>,
    pub variant: &'a VariantName,
    rung: u64,
    pub store: Store,
    pub oracle: Oracle,
}

/// Which part of the world.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// The smallest, where every statement is quick.
    Smallest,
    /// The largest below the whole, where a migration takes its time.
    Largest,
}

impl<'a> Scene<'a> {
    /// The part as it stands; `None` where the side has none.
    pub fn open(session: &'a Session<'a>, variant: &'a VariantName, part: Part) -> Option<Self> {
        let side = session.store(variant);
        let mut rungs: Vec<u64> = side.rungs().collect();
        rungs.sort_unstable();
        let rung = match part {
            Part::Smallest => rungs.first(),
            Part::Largest => rungs.last(),
        };
        let rung = *rung?;
        Some(Self {
            session,
            variant,
            rung,
            store: side.rung(rung)?,
            oracle: session.oracle().cut(rung)?,
        })
    }

    /// How many events it has.
    pub fn events(&self) -> u64 {
        self.rung
    }

    /// Makes it anew, with what the variant changes or, as `today` has it, without.
    pub async fn anew(&self, today: bool) -> Result<()> {
        let role = Role::of(self.variant);
        self.session.recut(role, self.rung, today).await
    }

    /// Asks whichever of both is offered, and holds the answers to an oracle; the first that is
    /// wrong.
    pub async fn ask(
        &self,
        when: impl Display,
        oracle: &Oracle,
        users: &[AffinityRequest],
        posts: &[MetricsRequest],
        tally: &mut Tally,
    ) -> Result<Option<Difference>> {
        let mut wrong = None;
        for request in users {
            let found = self
                .held(&UserAuthor, &when, oracle, request, tally)
                .await?;
            wrong = wrong.or(found);
        }
        for request in posts {
            let found = self
                .held(&PostMetrics, &when, oracle, request, tally)
                .await?;
            wrong = wrong.or(found);
        }
        Ok(wrong)
    }

    async fn held<O: Operation>(
        &self,
        operation: &O,
        when: &impl Display,
        oracle: &Oracle,
        request: &O::Request,
        tally: &mut Tally,
    ) -> Result<Option<Difference>> {
        if !operation.offered_by(self.variant) {
            return Ok(None);
        }
        let held = match operation.call(&self.store, self.variant, request).await {
            Ok(answer) => operation.hold(oracle, request, &answer),
            Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => return Err(error.into()),
        };
        let wrong = held.as_ref().err().cloned();
        tally.record(
            format_args!("{when}: {} {request:?}", operation.name()),
            held,
        );
        Ok(wrong)
    }

    /// Has every table merged into one part.
    pub async fn merge(&self) -> std::result::Result<(), Error> {
        let client = &self.store.clickhouse;
        parts::let_go(client).await?;
        let tables: Vec<String> = client
            .query(
                "SELECT name FROM system.tables
                WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
            )
            .fetch_all()
            .await
            .doing("list the tables that are merged")?;
        for table in tables {
            let merged = client
                .query("OPTIMIZE TABLE ? FINAL")
                .bind(Identifier(&table))
                .execute()
                .await;
            merged.doing("merge a table")?;
        }
        Ok(())
    }
}
