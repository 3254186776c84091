//! How a variant refreshes its tables, and at what price.

use std::time::{Duration, Instant};

use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Unit, VariantName};
use verdict_baseline::schema::clickhouse_clock;
use verdict_optimized::as_proposed::feed_tables::{self as as_proposed, WAYS, Way};
use verdict_optimized::feed_job::{self, PACE};
use verdict_store::{Fault, Store};

use crate::error::Result as Outcome;
use crate::session::{Depth, Session};

/// How a variant refreshes its tables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refresh {
    AsProposed(Way),
    Optimized,
}

impl Refresh {
    pub(super) fn of(variant: &VariantName) -> Option<Self> {
        match variant {
            VariantName::Proposed(Some(name)) => WAYS
                .iter()
                .find(|(way, _)| way == name)
                .map(|(_, way)| Self::AsProposed(*way)),
            VariantName::Optimized => Some(Self::Optimized),
            _ => None,
        }
    }

    pub(super) async fn run(self, store: &Store, ahead: i64) -> Result<(), Fault> {
        let clock = clickhouse_clock(ahead);
        match self {
            Self::AsProposed(way) => {
                Ok(as_proposed::refresh(&store.clickhouse, way, &clock).await?)
            }
            Self::Optimized => Ok(feed_job::refresh_at(&store.clickhouse, &clock).await?),
        }
    }

    /// Whatever was tried, the tables are as they were filled first.
    pub(super) async fn restore(self, store: &Store) -> Result<(), Fault> {
        let clean = match self {
            Self::AsProposed(_) => Self::AsProposed(Way::Drop),
            Self::Optimized => self,
        };
        clean.run(store, 0).await
    }

    /// How long one takes; the tables are then as they were.
    pub(super) async fn timed(self, store: &Store) -> Result<Duration, Fault> {
        let started = Instant::now();
        self.run(store, 0).await?;
        let took = started.elapsed();
        if let Self::AsProposed(_) = self {
            self.restore(store).await?;
        }
        Ok(took)
    }
}

/// What a refresh of the whole world takes, and how old an answer is just before the next one.
pub(super) async fn price(session: &Session<'_>, variant: &VariantName) -> Outcome<Vec<Price>> {
    let Some(refresh) = Refresh::of(variant) else {
        return Ok(Vec::new());
    };
    // The audit's ways take as long again to leave the tables clean.
    if session.depth() != Depth::Full && *variant != VariantName::Optimized {
        return Ok(Vec::new());
    }
    let took = refresh.timed(&session.store(variant)).await?;
    let seconds = |what, value: Duration| Price {
        what,
        baseline: 0.0,
        variant: value.as_secs_f64(),
        unit: Unit::Seconds,
    };
    Ok(vec![
        seconds(PriceOf::Refresh, took),
        seconds(PriceOf::Staleness, PACE + took),
    ])
}
