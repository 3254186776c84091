//! Item 4 on trial: candidates read from the tables of a feed, and refreshes of these tables
//! while they are read.
//!
//! The rung is the number of events in the database. All variants are read by today's
//! statements; they differ by the tables and by the way they are refreshed.

mod bad;
mod borders;
mod refresh;
mod refreshes;
mod today;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::feed_tables::{Candidate, Source, read};
use verdict_optimized::as_proposed::feed_tables::{self as as_proposed, WAYS};
use verdict_optimized::feed_tables as optimized;
use verdict_oracle::feed_tables::{self as oracle, Asked};
use verdict_oracle::{Held, Oracle};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Ladder, Operation, erase, event_rungs};
use crate::session::Session;
use crate::tally::Tally;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct FeedTables;

impl Item for FeedTables {
    fn id(&self) -> &'static str {
        "feed-tables"
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        let proposed = WAYS.map(|(name, _)| {
            let variant = VariantName::Proposed(Some(name.to_owned()));
            (variant, as_proposed::CHANGE)
        });
        let baseline = (VariantName::Baseline, Change::NONE);
        let optimized = (VariantName::Optimized, optimized::CHANGE);
        std::iter::once(baseline)
            .chain(proposed)
            .chain([optimized])
            .collect()
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![
            erase(Read(Source::Followees)),
            erase(Read(Source::Trending)),
            erase(Read(Source::Affinity)),
        ]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(refreshes::try_all(session, variant, tally))
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(refresh::price(session, variant))
    }
}

/// The candidates of one source.
#[derive(Debug, Clone, Copy)]
pub struct Read(pub Source);

impl Operation for Read {
    type Request = Asked;
    type Answer = Vec<Candidate>;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        event_rungs(world)
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Asked> {
        oracle.world().cut(at.n)?;
        Some(oracle::at(oracle, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Asked {
        oracle::draw(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Nothing(
            "candidates change when the job runs, whatever was written, and the histories run it \
             between reads",
        )
    }

    async fn call(
        &self,
        store: &Store,
        _variant: &VariantName,
        asked: &Asked,
    ) -> Result<Vec<Candidate>, Fault> {
        Ok(read(&store.clickhouse, self.0, &asked.request).await?)
    }

    fn hold(&self, oracle: &Oracle, asked: &Asked, answer: &Vec<Candidate>) -> Held {
        oracle::hold(oracle, self.0, asked, answer)
    }
}
