//! How much of a call is the engines' own time.
//!
//! Of one side at a time, after the rounds and apart from them: where both sides share a
//! database its statistics cannot tell whose a statement was, and what PostgreSQL takes to time
//! its planner would be in the callers' times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::{PgPool, query_scalar};
use verdict_audit::At;
use verdict_audit::evidence::EngineTime;
use verdict_audit::quantile::median;
use verdict_engines::Line;
use verdict_store::{Fault, Store};

use crate::error::Result;
use crate::latency::{Restore, SLOW, WARM_UP_CALLS, waited};
use crate::meters::own_time;
use crate::operation::Probe;
use crate::session::{Role, Session};
use crate::tally::Tally;

/// Blocks of each side; the typical one is told.
const BLOCKS: usize = 5;

/// How long a side is called in a block.
const BLOCK: Duration = Duration::from_millis(20);

/// A side whose calls are looked into.
pub(crate) struct Side {
    pub probe: Arc<dyn Probe>,
    pub role: Role,
    /// Whether it is connected as today.
    pub today: bool,
}

/// The engines' own time per call, today's first; none where a call is refused, or asks neither
/// PostgreSQL nor ClickHouse.
pub(crate) async fn engine_time(
    session: &Session<'_>,
    sides: [Option<Side>; 2],
    callers: u32,
    restore: Option<&Restore<'_>>,
) -> Result<Option<EngineTime>> {
    let mut watched = Vec::new();
    for side in sides {
        watched.push(match side {
            Some(side) => Some(Watched::open(session, side, callers).await?),
            None => None,
        });
    }
    let outcome = blocks(&mut watched, restore.is_some()).await;
    let mut typical = Vec::new();
    for side in watched {
        typical.push(match side {
            Some(side) => side.end().await?,
            None => None,
        });
    }
    if let Some(restore) = restore {
        restore().await?;
    }
    match outcome {
        Ok(()) => {}
        Err(Fault::Variant(_)) => return Ok(None),
        Err(Fault::Harness(error)) => return Err(error.into()),
    }
    let (baseline_us, Some(variant_us)) = (typical[0], typical[1]) else {
        return Ok(None);
    };
    let asked = variant_us > 0.0 || baseline_us.is_some_and(|time| time > 0.0);
    Ok(asked.then_some(EngineTime {
        baseline_us,
        variant_us,
    }))
}

/// Blocks of the sides in turn. Where each call has to be given back there is one, of one call.
async fn blocks(
    watched: &mut [Option<Watched>],
    given_back: bool,
) -> std::result::Result<(), Fault> {
    if given_back {
        for side in watched.iter_mut().flatten() {
            side.block(Duration::ZERO).await?;
        }
        return Ok(());
    }
    for side in watched.iter_mut().flatten() {
        side.warm_up().await?;
    }
    for block in 0..BLOCKS {
        for side in watched.iter_mut().flatten() {
            if block == 0 || !side.slow {
                side.block(BLOCK).await?;
            }
        }
    }
    Ok(())
}

/// A side with a store of its own, by way of a line that reads ClickHouse's summaries.
struct Watched {
    probe: Arc<dyn Probe>,
    callers: u32,
    store: Store,
    line: Line,
    /// What PostgreSQL's statistics are read through.
    statistics: PgPool,
    /// Engines' time per call of each block, microseconds.
    blocks: Vec<f64>,
    slow: bool,
}

impl Watched {
    async fn open(session: &Session<'_>, side: Side, callers: u32) -> Result<Self> {
        let line = session.line(side.role, At::rung(0))?;
        let statistics = session.store_of(side.role).postgres;
        // On a server of somebody else's that may be forbidden; execution is timed anyway.
        let planner: bool = query_scalar(
            "SELECT has_parameter_privilege('pg_stat_statements.track_planning', 'SET')",
        )
        .fetch_one(&statistics)
        .await
        .unwrap_or(false);
        let store = session
            .seat(side.role, side.today, Some(&line), |mut connect| {
                if planner {
                    let on = ("pg_stat_statements.track_planning", "on".to_owned());
                    connect.postgres.push(on);
                }
                // Without it a summary is sent before the query is done.
                let whole = ("wait_end_of_query", "1".to_owned());
                connect.clickhouse.push(whole);
                connect
            })
            .await?;
        Ok(Self {
            probe: side.probe,
            callers,
            store,
            line,
            statistics,
            blocks: Vec::new(),
            slow: false,
        })
    }

    /// What both engines have spent so far.
    async fn spent(&self) -> std::result::Result<Duration, Fault> {
        let summaries = self.line.totals().clickhouse.summaries;
        let clickhouse = Duration::from_nanos(summaries.elapsed_ns);
        Ok(own_time(&self.statistics).await? + clickhouse)
    }

    /// A call by each of the callers.
    async fn calls(&self) -> std::result::Result<(), Fault> {
        let callers = (0..self.callers).map(|_| waited(&self.probe, &self.store, false));
        for called in join_all(callers).await {
            called?;
        }
        Ok(())
    }

    async fn settle(&self) -> std::result::Result<(), Fault> {
        Ok(self
            .probe
            .settle(&self.store, &mut Tally::default())
            .await?)
    }

    async fn warm_up(&mut self) -> std::result::Result<(), Fault> {
        for _ in 0..WARM_UP_CALLS {
            let started = Instant::now();
            self.calls().await?;
            if started.elapsed() > SLOW {
                self.slow = true;
                break;
            }
        }
        self.settle().await
    }

    async fn block(&mut self, length: Duration) -> std::result::Result<(), Fault> {
        let before = self.spent().await?;
        let (started, mut calls) = (Instant::now(), 0);
        loop {
            self.calls().await?;
            calls += self.callers;
            if started.elapsed() >= length {
                break;
            }
        }
        let spent = self.spent().await?.saturating_sub(before);
        self.blocks
            .push(spent.as_secs_f64() * 1e6 / f64::from(calls));
        self.settle().await
    }

    /// Closes the connections; the typical block's time per call.
    async fn end(self) -> Result<Option<f64>> {
        self.probe
            .settle(&self.store, &mut Tally::default())
            .await?;
        self.store.close().await;
        Ok(median(self.blocks))
    }
}
