//! What a variant costs besides its migration: every version that comes, and refreshes.

use std::time::{Duration, Instant};

use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Unit, VariantName};
use verdict_optimized::as_proposed::engagement_rollup as proposed;
use verdict_store::{Step, Store, change};

use super::{NIGHTLY, OPTIMIZE, REFRESHABLE, solution};
use crate::deliveries;
use crate::error::Result;
use crate::parts;
use crate::session::Session;

const NIGHT: Duration = Duration::from_secs(86_400);

pub(super) async fn of(session: &Session<'_>, variant: &VariantName) -> Result<Vec<Price>> {
    let mut prices = deliveries::price(session).await?;
    let (steps, period): (&[Step], Option<Duration>) = match solution(variant) {
        NIGHTLY => (proposed::NIGHTLY, Some(NIGHT)),
        OPTIMIZE => (proposed::OPTIMIZE, None),
        REFRESHABLE => (proposed::REFRESH, Some(proposed::PERIOD)),
        _ => return Ok(prices),
    };
    let took = refreshed(&session.store(variant), steps).await?;
    let mut price = |what, value: f64, unit| {
        prices.push(Price {
            what,
            baseline: 0.0,
            variant: value,
            unit,
        });
    };
    price(PriceOf::Refresh, took.as_secs_f64(), Unit::Seconds);
    if let Some(period) = period {
        // What comes when a refresh has begun is seen after the next one.
        let age = period + took;
        price(PriceOf::Staleness, age.as_secs_f64(), Unit::Seconds);
    }
    Ok(prices)
}

async fn refreshed(store: &Store, steps: &[Step]) -> Result<Duration> {
    parts::let_go(&store.clickhouse).await?;
    let started = Instant::now();
    change::run(steps, store).await?;
    Ok(started.elapsed())
}
