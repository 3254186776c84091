//! The table of all sources, and the pages that are kept, read while the job fills them anew.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join;
use verdict_audit::VariantName;
use verdict_baseline::feed::Request;
use verdict_baseline::feed_tables::Candidate;
use verdict_baseline::post_images::PostWithImages;
use verdict_baseline::schema::clickhouse_clock;
use verdict_baseline::stages::Stages;
use verdict_optimized::{feed, feed_job};
use verdict_oracle::feed_tables::{self, Asked};
use verdict_oracle::{Difference, Held, Oracle, feed as feed_oracle};
use verdict_store::{Fault, Store};

use super::Candidates;
use crate::error::Result as Outcome;
use crate::operation::Operation;
use crate::session::Session;
use crate::tally::Tally;

/// Refreshes, each by a clock a minute ahead of the one before, so that every score is another
/// one.
const REFRESHES: i64 = 5;
const MINUTE: i64 = 60;

/// Of what was read during a refresh, how much is held: the last of it.
const KEPT: usize = 50;

/// Events at least in the part of the world that is refreshed over and over.
const EVENTS: u64 = 10_000;

/// What was answered while a refresh ran.
struct Seen {
    asked: Asked,
    candidates: Result<Vec<Candidate>, Fault>,
    request: Request,
    page: Result<Vec<PostWithImages>, Fault>,
}

/// Reads both while refreshes run: each answer is of one refresh, the one before or the new one.
pub(super) async fn read(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let (store, oracle) = session.part(variant, EVENTS);
    let mut random = session.random("feed-candidates refreshed");
    let mut read = 0;
    for refresh in 1..=REFRESHES {
        let ran = AtomicBool::new(false);
        let job = async {
            let filled = fill(&store, refresh * MINUTE).await;
            ran.store(true, Ordering::Relaxed);
            filled
        };
        let reader = async {
            let mut seen = VecDeque::new();
            while !ran.load(Ordering::Relaxed) {
                let asked = feed_tables::draw(&oracle, &mut random);
                let request = feed_oracle::draw(&oracle, &mut random);
                let (pool, client) = (&store.postgres, &store.clickhouse);
                let page = feed::feed(pool, client, &request, &mut Stages::default()).await;
                seen.push_back(Seen {
                    candidates: Candidates.call(&store, variant, &asked).await,
                    asked,
                    page: page.map_err(Fault::from),
                    request,
                });
                // It is at the end of a refresh that tables change places.
                if seen.len() > KEPT {
                    seen.pop_front();
                }
            }
            seen
        };
        let (filled, seen) = join(job, reader).await;
        filled?;
        read += seen.len();
        for one in seen {
            one.held(&oracle, [refresh - 1, refresh].map(|at| at * MINUTE), tally)?;
        }
    }
    tally.declare(format!(
        "{read} reads of candidates, and of pages of the feed, while {REFRESHES} refreshes ran are held"
    ));
    Ok(fill(&store, 0).await?)
}

async fn fill(store: &Store, ahead: i64) -> Result<(), Fault> {
    Ok(feed_job::refresh_at(&store.clickhouse, &clickhouse_clock(ahead)).await?)
}

impl Seen {
    fn held(self, oracle: &Oracle, clocks: [i64; 2], tally: &mut Tally) -> Outcome<()> {
        let Self { asked, request, .. } = self;
        let candidates = by_one(clocks, self.candidates, |ahead, answer: &Vec<_>| {
            let asked = Asked { ahead, ..asked };
            verdict_oracle::feed_candidates::hold(oracle, &asked, answer)
        })?;
        tally.record(format_args!("{asked:?} during a refresh"), candidates);
        let page = by_one(clocks, self.page, |ahead, answer: &Vec<_>| {
            feed_oracle::hold_ahead(oracle, &request, ahead, answer)
        })?;
        tally.record(format_args!("{request:?} during a refresh"), page);
        Ok(())
    }
}

/// Whether an answer is right by one of the clocks.
fn by_one<T>(
    clocks: [i64; 2],
    answer: Result<T, Fault>,
    hold: impl Fn(i64, &T) -> Held,
) -> Outcome<Held> {
    match answer {
        Ok(answer) => Ok(hold(clocks[0], &answer).or_else(|_| hold(clocks[1], &answer))),
        Err(Fault::Variant(refusal)) => Ok(Err(Difference(refusal.to_string()))),
        Err(Fault::Harness(error)) => Err(error.into()),
    }
}
