//! How much work: the engine's own counters per call, at each rung of the ladder.

use std::time::{Duration, Instant};

use verdict_audit::VariantName;
use verdict_audit::evidence::{Complexity, Work};
use verdict_audit::slope::complexity;

use crate::error::{Error, Result};
use crate::instruments::{Counted, Instrument, WARM_UP_CALLS};
use crate::item::{Item, Probe};
use crate::session::{Depth, Session};

/// The counter that growth is fitted on: what the audit calls rows scanned.
pub const ROWS_READ: &str = "rows_read";

/// Counted calls at a rung.
const CALLS: u64 = 5;

/// A call that takes longer is counted once: counters do not vary, patience does.
const SLOW: Duration = Duration::from_millis(300);

/// Counts the calls of one side at every rung of every operation, with the plans PostgreSQL
/// chooses by itself and, beside it, with generic plans.
pub async fn count(
    session: &Session<'_>,
    item: &dyn Item,
    variant: &VariantName,
) -> Result<Vec<Work>> {
    let mut work = Vec::new();
    let quick = session.depth() == Depth::Quick;
    for generic in [false, true] {
        let instrument = Instrument::connect(session.options(variant), generic).await?;
        for operation in item.operations(session.world()) {
            let name = if generic {
                format!("{} (generic plan)", operation.name)
            } else {
                operation.name.to_owned()
            };
            for n in operation.rungs {
                let Some(probe) = item.probe(session.world(), variant, operation.name, n) else {
                    continue;
                };
                let counted = count_calls(&instrument, &probe, quick)
                    .await?
                    .map_err(|source| Error::Stopped {
                        item: item.id(),
                        variant: variant.to_string(),
                        source,
                    })?;
                work.push(Work {
                    operation: name.clone(),
                    n,
                    counters: counted.per_call(),
                    plan: counted.plan(),
                });
            }
        }
        instrument.close().await;
    }
    Ok(work)
}

/// Counts a few calls of a probe, after as many as PostgreSQL needs to settle on a plan. The
/// inner result is the probe's own.
pub(crate) async fn count_calls(
    instrument: &Instrument,
    probe: &Probe,
    quick: bool,
) -> Result<verdict_baseline::Result<Counted>> {
    let pool = instrument.pool();
    let mut slow = false;
    for k in 0..WARM_UP_CALLS {
        let started = Instant::now();
        match probe.call(pool, k).await {
            Ok(trace) => probe.undo(pool, trace.into_iter().collect()).await?,
            Err(error) => return Ok(Err(error)),
        }
        slow = started.elapsed() > SLOW;
        if slow && quick {
            break;
        }
    }
    let mut counted = Counted::default();
    for k in 0..if slow { 1 } else { CALLS } {
        let before = instrument.read().await?;
        let trace = match probe.call(pool, k).await {
            Ok(trace) => trace,
            Err(error) => return Ok(Err(error)),
        };
        let after = instrument.read().await?;
        counted.add(&before, &after);
        probe.undo(pool, trace.into_iter().collect()).await?;
    }
    Ok(Ok(counted))
}

/// The growth of the operation whose rows read grow fastest; none without rungs to fit.
pub fn steepest(work: &[Work]) -> Option<Complexity> {
    let mut operations: Vec<&str> = work.iter().map(|rung| rung.operation.as_str()).collect();
    operations.dedup();
    operations
        .into_iter()
        .filter_map(|operation| complexity(work, operation, ROWS_READ).ok())
        .max_by(|a, b| a.slope.total_cmp(&b.slope))
}
