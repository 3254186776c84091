//! Pools of many sizes under the same callers, the smallest that meets the audit's target, and
//! whether the rule that foretells it holds.
//!
//! By Little's law as many connections are busy as calls come in a second, times the seconds that
//! each holds one. Callers who each wait for an answer within the target make callers ÷ target
//! calls a second; so the smallest pool has that times what a call holds a connection for, alone.

use std::time::Duration;

use verdict_audit::{Catalogue, FlowId, Side, VariantName};
use verdict_store::Connect;

use super::CALLERS;
use super::crowd::{Call, Came, Crowd};
use crate::error::Result;
use crate::session::{Depth, Session};
use crate::tally::Tally;

/// Connections of a pool.
const SIZES: [u32; 12] = [2, 3, 5, 6, 8, 10, 15, 20, 30, 50, 75, 100];
const FEW: [u32; 3] = [2, 6, 20];

/// A pool is as good as the best where its 95th percentile is no more than this times the best.
const AS_GOOD: f64 = 1.1;

/// Sweeps the sizes with calls as today's and as ours; with ours alone where time is short.
pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let (sizes, crowds, length, swept) = match session.depth() {
        Depth::Full => (
            &SIZES[..],
            &CALLERS[2..],
            Duration::from_millis(400),
            [VariantName::Baseline, VariantName::Optimized].contains(variant),
        ),
        Depth::Quick => (
            &FEW[..],
            &CALLERS[2..3],
            Duration::from_millis(150),
            *variant == VariantName::Optimized,
        ),
    };
    if !swept {
        return Ok(());
    }
    for (call, flow) in [(Call::Page, FlowId::History), (Call::Send, FlowId::Send)] {
        let goal = Catalogue::builtin()
            .target(flow)
            .map(|target| target.target_ms(Side::Optimized) / 1e3);
        let Some(goal) = goal else {
            continue;
        };
        let Some(alone) = one(session, variant, 1, call, (1, length)).await? else {
            return Ok(());
        };
        let held = alone.typical();
        for callers in crowds {
            let mut came = Vec::new();
            for size in sizes {
                let crowd = (*callers as usize, length);
                let Some(found) = one(session, variant, *size, call, crowd).await? else {
                    continue;
                };
                tally.declare(format!(
                    "swept, {callers} callers, {call}, a pool of {size}: {found}"
                ));
                came.push((*size, found));
            }
            let foretold = (f64::from(*callers) * held / goal).ceil().max(1.0);
            tally.declare(told(call, *callers, (held, goal, foretold), &came));
        }
    }
    Ok(())
}

/// What the sweep comes to, beside what was foretold.
fn told(
    call: Call,
    callers: u32,
    (held, goal, foretold): (f64, f64, f64),
    came: &[(u32, Came)],
) -> String {
    let whole = |came: &Came| came.failed + came.timed_out == 0;
    let p95 = |came: &Came| came.percentile(0.95);
    let meets = came
        .iter()
        .find(|(_, came)| whole(came) && p95(came) <= goal);
    let best = came.iter().filter(|(_, came)| whole(came));
    let best = best
        .map(|(_, came)| p95(came))
        .fold(f64::INFINITY, f64::min);
    let as_good = came
        .iter()
        .find(|(_, came)| whole(came) && p95(came) <= AS_GOOD * best);
    let size = |found: Option<&(u32, Came)>| {
        found.map_or_else(|| "none".to_owned(), |(size, _)| size.to_string())
    };
    format!(
        "swept, {callers} callers, {call}: the smallest pool whose p95 is within the target of \
         {:.0} ms is {}, and by the rule (callers x {:.2} ms that a call holds a connection for, \
         alone, ÷ target) {foretold:.0}; the smallest that is as good as the best, to within \
         {:.0} %, is {}",
        1e3 * goal,
        size(meets),
        1e3 * held,
        1e2 * (AS_GOOD - 1.0),
        size(as_good)
    )
}

/// A crowd on a pool of one size, all of it open beforehand.
async fn one(
    session: &Session<'_>,
    variant: &VariantName,
    size: u32,
    call: Call,
    (callers, length): (usize, Duration),
) -> Result<Option<Came>> {
    let how = |connect: Connect| Connect {
        pool: connect.pool.max_connections(size).min_connections(0),
        ..connect
    };
    let Some(crowd) = Crowd::open(session, variant, how).await? else {
        return Ok(None);
    };
    let came = async {
        // As many connections as the pool has, and statements prepared on them.
        crowd.calls(Call::Page, size as usize, length / 4).await?;
        crowd.calls(call, callers, length / 4).await?;
        crowd.calls(call, callers, length).await
    };
    let came = came.await;
    crowd.close().await?;
    came.map(Some)
}
