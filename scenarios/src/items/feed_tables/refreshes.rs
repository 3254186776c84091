//! Refreshes of the tables while two readers read them, two of them at once, and some that are
//! killed on their way.
//!
//! Each refresh is by a clock a minute ahead of the one before, so that every score is another
//! one: rows of two refreshes on one page are told apart.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use rand::RngExt;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::feed_tables::{Candidate, Request, SOURCES, Source, read};
use verdict_optimized::feed_job;
use verdict_oracle::feed_tables::{self as oracle, Asked};
use verdict_oracle::{Difference, Held, Oracle, same};
use verdict_store::fault::Doing;
use verdict_store::{Fault, Store};

use super::bad::Bad;
use super::borders;
use super::refresh::Refresh;
use super::today::without_tables;
use crate::error::Result as Outcome;
use crate::session::{Depth, Session};
use crate::tally::Tally;

/// Refreshes under readers, and readers. What is known to fail fails in a few of them as well.
const REFRESHES: i64 = 20;
const FEW_REFRESHES: i64 = 5;
const READERS: usize = 2;

/// Reads that are kept of each reader, and the pause after each once there are so many of them
/// that the rest would be the same again.
const READS: usize = 2_000;

/// Refreshes that are killed, where there is time and where there is less of it.
const KILLS: i64 = 12;
const FEW_KILLS: i64 = 4;

/// Readers whose pages are looked at.
const USERS: u64 = 3;

/// Events at least in the part of the world that is refreshed over and over, where the world is
/// in parts.
const REFRESHED: u64 = 10_000;

/// Candidates of a page.
const LIMIT: u64 = 200;

const MINUTE: i64 = 60;

/// All histories of a variant.
pub(super) async fn try_all(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let Some(refresh) = Refresh::of(variant) else {
        return Ok(());
    };
    let optimized = *variant == VariantName::Optimized;
    let full = session.depth() == Depth::Full;
    if optimized {
        without_tables(session, tally).await?;
    }
    let (store, oracle) = session.part(variant, REFRESHED);
    let bed = Bed {
        oracle,
        store,
        users: (0..USERS)
            .map(|user| session.world().user(user * 7))
            .collect(),
        refresh,
        refreshes: if full || optimized {
            REFRESHES
        } else {
            FEW_REFRESHES
        },
        kills: if full { KILLS } else { FEW_KILLS },
    };
    let tried = bed.try_all(session, tally).await;
    refresh.restore(&bed.store).await?;
    tried?;
    if full || optimized {
        along_the_ladder(session, variant, refresh, tally).await?;
    }
    Ok(())
}

/// Where refreshes are tried.
struct Bed {
    oracle: Oracle,
    store: Store,
    users: Vec<Uuid>,
    refresh: Refresh,
    refreshes: i64,
    kills: i64,
}

/// One read, with the refreshes that had ended before it and those that had begun after it.
struct Seen {
    source: Source,
    user: Uuid,
    answer: Result<Vec<Candidate>, Fault>,
    ended: i64,
    begun: i64,
}

impl Bed {
    async fn try_all(&self, session: &Session<'_>, tally: &mut Tally) -> Outcome<()> {
        self.under_readers(tally).await?;
        self.look(&[self.refreshes], "after all refreshes", tally)
            .await?;
        if matches!(self.refresh, Refresh::Optimized) {
            borders::crossed(&self.store, &self.oracle, tally).await?;
            self.two_at_once(tally).await?;
            self.killed(session, tally).await?;
        }
        Ok(())
    }

    /// Refreshes under readers: each page is wholly of one refresh.
    async fn under_readers(&self, tally: &mut Tally) -> Outcome<()> {
        let (begun, ended) = (AtomicI64::new(0), AtomicI64::new(0));
        let refreshing = async {
            let mut refreshed = Ok(());
            for number in 1..=self.refreshes {
                begun.store(number, Ordering::SeqCst);
                refreshed = self.refresh.run(&self.store, number * MINUTE).await;
                if refreshed.is_err() {
                    break;
                }
                ended.store(number, Ordering::SeqCst);
            }
            // Readers go on until they see this.
            begun.store(i64::MAX, Ordering::SeqCst);
            refreshed
        };
        let reading = join_all((0..READERS).map(|reader| self.read_on(reader, &begun, &ended)));
        let (refreshed, seen) = join(refreshing, reading).await;
        match refreshed {
            Ok(()) => {}
            Err(Fault::Harness(error)) => return Err(error.into()),
            Err(Fault::Variant(refusal)) => {
                tally.record("a refresh", Err(Difference(refusal.to_string())));
            }
        }
        self.tell(seen.into_iter().flatten().collect(), tally)
    }

    async fn read_on(&self, reader: usize, begun: &AtomicI64, ended: &AtomicI64) -> Vec<Seen> {
        let mut seen = Vec::new();
        for read_number in reader.. {
            let source = SOURCES[read_number % SOURCES.len()];
            let user = self.users[read_number / SOURCES.len() % self.users.len()];
            let before = ended.load(Ordering::SeqCst);
            let answer = self.read(source, user).await;
            let after = begun.load(Ordering::SeqCst);
            seen.push(Seen {
                source,
                user,
                answer,
                ended: before,
                begun: after.min(self.refreshes),
            });
            if after == i64::MAX || seen.len() == READS {
                break;
            }
        }
        seen
    }

    async fn read(&self, source: Source, user: Uuid) -> Result<Vec<Candidate>, Fault> {
        let request = Request { user, limit: LIMIT };
        Ok(read(&self.store.clickhouse, source, &request).await?)
    }

    /// Whether a page is right by one of some refreshes' clocks.
    fn hold(&self, source: Source, user: Uuid, answer: &[Candidate], refreshes: &[i64]) -> Held {
        let mut wrong = Ok(());
        for number in refreshes {
            let asked = Asked {
                ahead: number * MINUTE,
                request: Request { user, limit: LIMIT },
            };
            wrong = oracle::hold(&self.oracle, source, &asked, answer);
            if wrong.is_ok() {
                break;
            }
        }
        wrong
    }

    /// Records every read, and counts what is wrong with those that are.
    fn tell(&self, seen: Vec<Seen>, tally: &mut Tally) -> Outcome<()> {
        let reads = seen.len();
        let mut bad = Bad::default();
        for read in seen {
            let Seen {
                source,
                user,
                answer,
                ended,
                begun,
            } = read;
            let held = match answer {
                Err(Fault::Harness(error)) => return Err(error.into()),
                Err(Fault::Variant(refusal)) => {
                    bad.refused += 1;
                    Err(Difference(refusal.to_string()))
                }
                Ok(answer) => {
                    let refreshes: Vec<i64> = (ended..=begun).collect();
                    let held = self.hold(source, user, &answer, &refreshes);
                    if held.is_err() {
                        bad.count(&answer, LIMIT);
                    }
                    held
                }
            };
            let name = source.name();
            tally.record(format_args!("{name} of {user} during refreshes"), held);
        }
        let refreshes = self.refreshes;
        tally.declare(format!(
            "of {reads} reads during {refreshes} refreshes {bad}"
        ));
        Ok(())
    }

    /// Looks at every page once nothing goes on any more.
    async fn look(&self, refreshes: &[i64], when: &str, tally: &mut Tally) -> Outcome<()> {
        for source in SOURCES {
            for user in &self.users {
                let held = match self.read(source, *user).await {
                    Ok(answer) => self.hold(source, *user, &answer, refreshes),
                    Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
                    Err(Fault::Harness(error)) => return Err(error.into()),
                };
                let name = source.name();
                tally.record(format_args!("{name} of {user} {when}"), held);
            }
        }
        Ok(())
    }

    /// Two runs at once: both end, and one of them stands.
    async fn two_at_once(&self, tally: &mut Tally) -> Outcome<()> {
        let (one, other) = (self.refreshes + 1, self.refreshes + 2);
        let run = |number: i64| self.refresh.run(&self.store, number * MINUTE);
        for (first, second) in [(one, other), (other, one)] {
            let ran = join(run(first), run(second)).await;
            for ran in [ran.0, ran.1] {
                match ran {
                    Ok(()) => tally.record("one of two runs at once", Ok(())),
                    Err(Fault::Harness(error)) => return Err(error.into()),
                    Err(Fault::Variant(refusal)) => {
                        let refused = Difference(refusal.to_string());
                        tally.record("one of two runs at once", Err(refused));
                    }
                }
            }
            self.look(&[one, other], "after two runs at once", tally)
                .await?;
        }
        Ok(())
    }

    /// Runs that are killed at some moment: whoever runs it is gone, and so is its connection,
    /// which is all that ClickHouse knows of it. The tables stay whole, and the next run neither
    /// stumbles nor leaves anything behind.
    async fn killed(&self, session: &Session<'_>, tally: &mut Tally) -> Outcome<()> {
        let mut random = session.random("feed-tables kills");
        let before = self.refreshes + 3;
        let started = Instant::now();
        self.refresh.run(&self.store, before * MINUTE).await?;
        let whole = started.elapsed();
        for number in 1..=self.kills {
            let after = whole.mul_f64(random.random_range(0.0..1.0));
            let run = self.refresh.run(&self.store, (before + number) * MINUTE);
            // Dropped in the middle of whatever it was doing.
            match tokio::time::timeout(after, run).await {
                Err(_) => {}
                Ok(ran) => ran?,
            }
            let clocks: Vec<i64> = (before..=before + number).collect();
            let when = format!("after a run that was killed {after:.0?} after its start");
            self.look(&clocks, &when, tally).await?;
        }
        let last = before + self.kills + 1;
        self.refresh.run(&self.store, last * MINUTE).await?;
        self.look(&[last], "after the run that followed those", tally)
            .await?;
        // Young leftovers are left alone, as they may be of a run that is still at work.
        feed_job::sweep(&self.store.clickhouse, Duration::ZERO)
            .await
            .map_err(Fault::from)?;
        let left: u64 = self
            .store
            .clickhouse
            .query(
                "SELECT count()
                FROM system.tables
                WHERE database = currentDatabase()
                  AND name LIKE 'feed\\_%\\_\\_%'",
            )
            .fetch_one()
            .await
            .doing("see what killed runs left")?;
        tally.record("what killed runs left", same("tables left", &0, &left));
        Ok(())
    }
}

/// How long a refresh takes along the ladder, and for how many readers; of the whole world it is a
/// price.
async fn along_the_ladder(
    session: &Session<'_>,
    variant: &VariantName,
    refresh: Refresh,
    tally: &mut Tally,
) -> Outcome<()> {
    let mut told = Vec::new();
    let whole = session.store(variant);
    let parts = whole
        .rungs()
        .filter_map(|events| Some((events, whole.rung(events)?)));
    for (events, store) in parts {
        let took = refresh.timed(&store).await?;
        let (readers, rows): (u64, u64) = store
            .clickhouse
            .query("SELECT uniqExact(user_id), count() FROM feed_candidates_affinity")
            .fetch_one()
            .await
            .doing("count the readers of candidates")?;
        told.push(format!(
            "{took:.2?} at {events} events ({readers} readers with {rows} candidates of affinity)"
        ));
    }
    tally.declare(format!("a refresh takes {}", told.join(", ")));
    Ok(())
}
