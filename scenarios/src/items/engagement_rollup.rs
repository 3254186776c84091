//! Item 3 on trial: what users have to do with authors, and what was done on posts by the hour.
//!
//! The rung is the number of events in the part of the world that ClickHouse holds. Today's views
//! add up versions, so they are wrong wherever one came twice or was merged with another: today
//! is held to the generator's events like any other variant, and says by how much it is off.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::engagement_rollup::{
    self as baseline, Affinity, AffinityRequest, Metrics, MetricsRequest,
};
use verdict_optimized::as_proposed::engagement_rollup as proposed;
use verdict_optimized::engagement_rollup as optimized;
use verdict_oracle::engagement_rollup as oracle;
use verdict_oracle::{Held, Oracle, Write};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store, change};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{
    AnyOperation, Between, Ladder, Operation, erase, event_rungs, made, no_such_variant,
};
use crate::session::Session;
use crate::tally::Tally;

mod border;
mod one_like;
mod price;
mod race;
mod scene;
mod stream;
mod today;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct EngagementRollup;

/// The audit's two views by the names of the operations that they are for, the two refreshes that
/// it names, each of both views, and ours with a schedule.
const AFFINITY: &str = "affinity";
const METRICS: &str = "metrics";
const NIGHTLY: &str = "nightly";
const OPTIMIZE: &str = "optimize";
const REFRESHABLE: &str = "refreshable";

fn proposed(name: &str) -> VariantName {
    VariantName::Proposed(Some(name.to_owned()))
}

fn mended(name: &str) -> VariantName {
    VariantName::Mended(Some(name.to_owned()))
}

/// What a variant's name says after its first word.
fn solution(variant: &VariantName) -> &str {
    match variant {
        VariantName::Proposed(Some(name)) | VariantName::Mended(Some(name)) => name,
        _ => "",
    }
}

impl Item for EngagementRollup {
    fn id(&self) -> &'static str {
        "engagement-rollup"
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (proposed(AFFINITY), proposed::AFFINITY),
            (proposed(METRICS), proposed::METRICS),
            (mended(METRICS), proposed::MENDED_METRICS),
            (mended(NIGHTLY), proposed::BOTH),
            (mended(OPTIMIZE), proposed::BOTH),
            (mended(REFRESHABLE), proposed::REFRESHABLE),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(UserAuthor), erase(PostMetrics)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            if solution(variant) == REFRESHABLE {
                tally.declare(
                    "refreshed after every write before it is asked; by itself it is as old as \
                     its price says"
                        .to_owned(),
                );
            }
            today::off_by(session, variant, tally).await?;
            one_like::told(session, variant, tally).await?;
            stream::heard(session, variant, tally).await?;
            border::crossed(session, variant, tally).await?;
            race::run(session, variant, tally).await
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(session, variant))
    }
}

/// Brings the copies of a variant up to date that do not follow by themselves, where its own
/// schedule would do so within minutes.
async fn caught_up(store: &Store, variant: &VariantName) -> Result<(), Fault> {
    match solution(variant) {
        REFRESHABLE => change::run(proposed::REFRESH, store).await,
        _ => Ok(()),
    }
}

/// A write as a variant has it made: one whose copies are renewed by the minute is asked when
/// they are, so that an answer is not called wrong that is only old. How old is in its price.
async fn written(store: &Store, variant: &VariantName, write: &Write) -> Result<(), Fault> {
    made(store, write).await?;
    caught_up(store, variant).await
}

/// What a user has to do with authors.
#[derive(Debug, Clone, Copy)]
pub struct UserAuthor;

impl Operation for UserAuthor {
    type Request = AffinityRequest;
    type Answer = Vec<Affinity>;

    fn name(&self) -> &'static str {
        "user-author-90d"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        event_rungs(world)
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn offered_by(&self, variant: &VariantName) -> bool {
        solution(variant) != METRICS
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<AffinityRequest> {
        Some(oracle::measured_user(oracle, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> AffinityRequest {
        oracle::draw_user(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &AffinityRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::user_between(oracle, request, random)
    }

    async fn write(
        &self,
        store: &Store,
        variant: &VariantName,
        write: &Write,
    ) -> Result<(), Fault> {
        written(store, variant, write).await
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &AffinityRequest,
    ) -> Result<Self::Answer, Fault> {
        let client = &store.clickhouse;
        Ok(match (variant, solution(variant)) {
            (VariantName::Baseline, _) => baseline::affinity(client, request).await?,
            (VariantName::Optimized, _) => optimized::affinity(client, request).await?,
            (_, AFFINITY | NIGHTLY | OPTIMIZE) => proposed::affinity(client, request).await?,
            (_, REFRESHABLE) => proposed::fresh_affinity(client, request).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, request: &AffinityRequest, answer: &Self::Answer) -> Held {
        oracle::hold_affinity(oracle, request, answer)
    }
}

/// What was done on posts by the hour.
#[derive(Debug, Clone, Copy)]
pub struct PostMetrics;

impl Operation for PostMetrics {
    type Request = MetricsRequest;
    type Answer = Vec<Metrics>;

    fn name(&self) -> &'static str {
        "post-metrics-1h"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        event_rungs(world)
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn offered_by(&self, variant: &VariantName) -> bool {
        solution(variant) != AFFINITY
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<MetricsRequest> {
        Some(oracle::measured_posts(oracle, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> MetricsRequest {
        oracle::draw_posts(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &MetricsRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::posts_between(oracle, request, random)
    }

    async fn write(
        &self,
        store: &Store,
        variant: &VariantName,
        write: &Write,
    ) -> Result<(), Fault> {
        written(store, variant, write).await
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &MetricsRequest,
    ) -> Result<Self::Answer, Fault> {
        let client = &store.clickhouse;
        Ok(match (variant, solution(variant)) {
            (VariantName::Baseline, _) => baseline::metrics(client, request).await?,
            (VariantName::Optimized, _) => optimized::metrics(client, request).await?,
            (_, METRICS | NIGHTLY | OPTIMIZE) => proposed::metrics(client, request).await?,
            (_, REFRESHABLE) => proposed::fresh_metrics(client, request).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, request: &MetricsRequest, answer: &Self::Answer) -> Held {
        oracle::hold_metrics(oracle, request, answer)
    }
}
