//! Item 5 on trial: the candidates of one feed, in three statements or in one.
//!
//! The rung is the number of events in the database. It stands on item 4's tables as the audit
//! writes them, filled once on both sides, as today has none.

use clickhouse::Compression;
use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_baseline::feed_tables::{Candidate, SOURCES, Source};
use verdict_baseline::stages::Stages;
use verdict_baseline::{feed, feed_candidates as baseline};
use verdict_optimized::{as_proposed, feed as optimized_feed, feed_candidates as optimized};
use verdict_oracle::feed as feed_oracle;
use verdict_oracle::feed_tables::{self, Asked};
use verdict_oracle::{Difference, Held, Oracle, feed_candidates as oracle};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{
    AnyOperation, Between, Ladder, Operation, ROUND_TRIPS, erase, event_rungs, no_such_variant,
    over_lines,
};
use crate::session::Session;
use crate::tally::Tally;

mod refreshed;

/// Where the audit's promises are judged, and where lines and callers are varied.
const JUDGED: u64 = 1_000_000;

/// Callers at once.
const CALLERS: [u32; 2] = [4, 16];

/// Requests that are asked where a source is gone, and with each kind of compression.
const REQUESTS: usize = 5;

/// Pages of the feed that are asked for in the whole world, and in a part of it.
const PAGES: usize = 40;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct FeedCandidates;

impl Item for FeedCandidates {
    fn id(&self) -> &'static str {
        "feed-candidates"
    }

    fn ground(&self) -> Change {
        as_proposed::feed_tables::CHANGE
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), Change::NONE),
            (VariantName::Mended(None), Change::NONE),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Candidates)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            compressed_or_not(session, variant, tally).await?;
            pages(session, variant, tally).await?;
            if *variant == VariantName::Optimized {
                refreshed::read(session, variant, tally).await?;
            }
            for gone in SOURCES {
                without(session, variant, gone, tally).await?;
            }
            Ok(())
        })
    }
}

/// The candidates of all sources.
#[derive(Debug, Clone, Copy)]
pub struct Candidates;

impl Operation for Candidates {
    type Request = Asked;
    type Answer = Vec<Candidate>;

    fn name(&self) -> &'static str {
        "candidates"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        let mut places = event_rungs(world);
        // A smaller world has no such place: what is so quick is all waits there.
        let judged = |at: &At| at.n >= JUDGED;
        if let Some(at) = places.iter().copied().find(judged) {
            places.extend(CALLERS.map(|callers| At { callers, ..at }));
        }
        over_lines(places, judged, ROUND_TRIPS.into_iter().chain([5_000]))
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Asked> {
        oracle.world().cut(at.n)?;
        Some(feed_tables::at(oracle, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Asked {
        feed_tables::draw(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Nothing(
            "candidates change when the job runs, whatever was written, and item 4 runs it \
             between reads",
        )
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        asked: &Asked,
    ) -> Result<Vec<Candidate>, Fault> {
        let (client, request) = (&store.clickhouse, &asked.request);
        Ok(match variant {
            VariantName::Baseline => baseline::candidates(client, request).await?,
            VariantName::Proposed(None) => {
                as_proposed::feed_candidates::candidates(client, request).await?
            }
            VariantName::Mended(None) => {
                as_proposed::feed_candidates::mended(client, request).await?
            }
            VariantName::Optimized => optimized::candidates(client, request).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, asked: &Asked, answer: &Vec<Candidate>) -> Held {
        oracle::hold(oracle, asked, answer)
    }
}

/// The same answers whether they pass the wire compressed or not.
async fn compressed_or_not(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    for compression in [Compression::None, Compression::Lz4] {
        let mut store = session.store(variant);
        store.clickhouse = store.clickhouse.with_compression(compression);
        ask(session, variant, &store, None, tally).await?;
    }
    tally.declare("asked over the wire compressed by LZ4 and not compressed".to_owned());
    Ok(())
}

/// The feed that is made of the candidates, from end to end, also out of what a fix keeps of it:
/// of the whole world, and of its smallest part, in which nobody is near to so many posts that
/// what is trending reaches no page.
async fn pages(session: &Session<'_>, variant: &VariantName, tally: &mut Tally) -> Outcome<()> {
    let store = session.store(variant);
    pages_of(&store, session.oracle(), session, variant, tally).await?;
    let (store, oracle) = session.part(variant, 0);
    pages_of(&store, &oracle, session, variant, tally).await
}

async fn pages_of(
    store: &Store,
    oracle: &Oracle,
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let (pool, client) = (&store.postgres, &store.clickhouse);
    let mut random = session.random("feed-candidates pages");
    for _ in 0..PAGES {
        let request = feed_oracle::draw(oracle, &mut random);
        let stages = &mut Stages::default();
        let page = match variant {
            VariantName::Baseline => feed::feed(pool, client, &request, stages).await,
            VariantName::Optimized => optimized_feed::feed(pool, client, &request, stages).await,
            // The audit's fix is of the candidates alone.
            _ => return Ok(()),
        };
        let held = match page.map_err(Fault::from) {
            Ok(page) => feed_oracle::hold(oracle, &request, &page),
            Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => return Err(error.into()),
        };
        tally.record(format_args!("{request:?}"), held);
    }
    Ok(())
}

/// One source whose table is gone: the others still answer. A fix that reads another table loses
/// that one, too.
async fn without(
    session: &Session<'_>,
    variant: &VariantName,
    gone: Source,
    tally: &mut Tally,
) -> Outcome<()> {
    let store = session.store(variant);
    let mut tables = vec![gone.table()];
    if *variant == VariantName::Optimized {
        // While the table of all sources is there, one of the others is not missed.
        let moved = Away::take(&store, &tables).await?;
        let asked = ask(session, variant, &store, None, tally).await;
        moved.back().await?;
        asked?;
        tables.push("feed_candidates");
    }
    let moved = Away::take(&store, &tables).await?;
    let asked = ask(session, variant, &store, Some(gone), tally).await;
    moved.back().await?;
    tally.declare(format!("asked while the table of {} was gone", gone.name()));
    asked
}

/// Tables that have other names for a while.
struct Away<'a> {
    store: &'a Store,
    tables: &'a [&'static str],
}

impl<'a> Away<'a> {
    async fn take(store: &'a Store, tables: &'a [&'static str]) -> Outcome<Self> {
        let away = Self { store, tables };
        away.rename(|table| (table.to_owned(), format!("{table}_away")))
            .await?;
        Ok(away)
    }

    async fn back(self) -> Outcome<()> {
        self.rename(|table| (format!("{table}_away"), table.to_owned()))
            .await
    }

    async fn rename(&self, names: impl Fn(&str) -> (String, String)) -> Outcome<()> {
        for table in self.tables {
            let (from, to) = names(table);
            self.store
                .clickhouse
                .query(&format!("RENAME TABLE {from} TO {to}"))
                .execute()
                .await
                .doing("rename a table")?;
        }
        Ok(())
    }
}

async fn ask(
    session: &Session<'_>,
    variant: &VariantName,
    store: &Store,
    gone: Option<Source>,
    tally: &mut Tally,
) -> Outcome<()> {
    let mut random = session.random("feed-candidates one source gone");
    for _ in 0..REQUESTS {
        let asked = feed_tables::draw(session.oracle(), &mut random);
        let held = match Candidates.call(store, variant, &asked).await {
            Ok(answer) => oracle::hold_without(session.oracle(), gone, &asked, &answer),
            Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => return Err(error.into()),
        };
        match gone {
            Some(gone) => {
                tally.record(format_args!("{asked:?} without {}", gone.name()), held);
            }
            None => tally.record(format_args!("{asked:?}"), held),
        }
    }
    Ok(())
}
