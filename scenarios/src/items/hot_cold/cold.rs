//! What a page of recent messages takes where nothing of the messages is in the engine's buffers, and
//! what it takes to plan. The system's own cache stays as it is.

use std::time::Instant;

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgPool, query, query_scalar};
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::quantile::median;
use verdict_audit::{At, Unit, VariantName};
use verdict_baseline::hot_cold::{Request, recent};
use verdict_store::fault::Doing;
use verdict_store::{Connect, Error};

use super::Recent;
use crate::error::Result;
use crate::operation::Operation;
use crate::session::{Role, Session};
use crate::tally::Tally;

/// Pages that are read cold, of which the typical one is told.
const PAGES: usize = 5;

/// Drops the messages' pages and those of their indexes out of the engine's buffers; they are
/// written where they have to be.
const EVICT: &str = "
WITH tables AS (
    SELECT 'messages'::regclass AS oid
    UNION ALL
    SELECT inhrelid
    FROM pg_inherits
    WHERE inhparent = 'messages'::regclass
)
SELECT COUNT((pg_buffercache_evict_relation(pg_class.oid)).buffers_evicted)
FROM pg_class
WHERE relkind IN ('r', 'i')
  AND (
      oid IN (SELECT oid FROM tables)
      OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables))
  )";

/// Whether the server lets go of pages at all.
async fn is_possible(pool: &PgPool) -> bool {
    let extended = query("CREATE EXTENSION IF NOT EXISTS pg_buffercache");
    extended.execute(pool).await.is_ok() && query(EVICT).execute(pool).await.is_ok()
}

/// Says so where it does not.
pub(super) async fn tell(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    if !is_possible(&session.store(variant).postgres).await {
        tally.declare(
            "what a page takes with nothing in the buffers is not told: this server has no \
             pg_buffercache_evict_relation, or lets nobody use it"
                .to_owned(),
        );
    }
    Ok(())
}

/// What a page takes.
#[derive(Debug, Clone, Copy, Default)]
struct Page {
    /// Microseconds, and pages read, where nothing is in the buffers.
    cold: Option<(f64, f64)>,
    /// Microseconds to plan it, where it was planned before.
    planned: f64,
}

/// The prices at the smallest and the largest rung.
pub(super) async fn prices(session: &Session<'_>) -> Result<Vec<Price>> {
    let mut prices = Vec::new();
    for operation in Recent::ALL {
        let rungs = operation.rungs(session.world());
        for at in rungs.first().into_iter().chain(rungs.last()) {
            let [today, changed] = [
                page(session, Role::Baseline, operation, *at).await?,
                page(session, Role::Trial, operation, *at).await?,
            ];
            prices.extend(told(operation, *at, [today, changed]));
        }
    }
    Ok(prices)
}

fn told(operation: Recent, at: At, [today, changed]: [Page; 2]) -> Vec<Price> {
    let (operation, n) = (operation.name().to_owned(), at.n);
    let mut prices = vec![Price {
        what: PriceOf::Planning {
            operation: operation.clone(),
            n,
        },
        baseline: today.planned,
        variant: changed.planned,
        unit: Unit::Microseconds,
    }];
    if let (Some(today), Some(changed)) = (today.cold, changed.cold) {
        prices.push(Price {
            what: PriceOf::ColdTime {
                operation: operation.clone(),
                n,
            },
            baseline: today.0,
            variant: changed.0,
            unit: Unit::Microseconds,
        });
        prices.push(Price {
            what: PriceOf::ColdReads { operation, n },
            baseline: today.1,
            variant: changed.1,
            unit: Unit::CountPerCall,
        });
    }
    prices
}

async fn page(session: &Session<'_>, role: Role, operation: Recent, at: At) -> Result<Page> {
    let mut random = session.random("pages with nothing in the buffers");
    let Some(request) = operation.at(session.oracle(), at, &mut random) else {
        return Ok(Page::default());
    };
    let store = session.connect(role, None, Connect::by_one).await?;
    let pool = &store.postgres;
    let possible = is_possible(pool).await;
    let (mut times, mut reads, mut planned) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAGES {
        explained(pool, &request).await?;
        planned.push(explained(pool, &request).await?.1);
        if possible {
            evict(pool).await?;
            let started = Instant::now();
            recent(pool, &request)
                .await
                .map_err(verdict_store::Fault::from)?;
            times.push(started.elapsed().as_secs_f64() * 1e6);
            evict(pool).await?;
            reads.push(explained(pool, &request).await?.0);
        }
    }
    store.close().await;
    Ok(Page {
        cold: possible.then(|| (middle(times), middle(reads))),
        planned: middle(planned),
    })
}

fn middle(values: Vec<f64>) -> f64 {
    median(values).unwrap_or_default()
}

async fn evict(pool: &PgPool) -> std::result::Result<(), Error> {
    let evicted = query(EVICT).execute(pool).await;
    evicted.map(drop).doing("drop pages out of the buffers")
}

/// The pages that PostgreSQL says a request has read into its buffers, and the microseconds of
/// planning.
async fn explained(pool: &PgPool, request: &Request) -> std::result::Result<(f64, f64), Error> {
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}",
        request.statement()
    );
    let explain = query_scalar(AssertSqlSafe(explain))
        .bind(request.conversation)
        .bind(request.limit);
    let explain = match request.since {
        Some(since) => explain.bind(since),
        None => explain,
    };
    let Json(plan): Json<Value> = explain
        .fetch_one(pool)
        .await
        .doing("have a page of recent messages explained")?;
    let figure = |pointer: &str| plan.pointer(pointer).and_then(Value::as_f64);
    let reads = figure("/0/Plan/Shared Read Blocks").unwrap_or_default();
    let planning = figure("/0/Planning Time").unwrap_or_default();
    Ok((reads, planning * 1e3))
}
