//! At what price: what a fix adds to the store and to writes.
//!
//! The price of a change is what it does to today's operations, of every item, that write what
//! it touches.

use std::time::Duration;

use verdict_audit::evidence::{PlanMode, Price, PriceOf};
use verdict_audit::{Counter, OperationName, Unit, VariantName};
use verdict_store::Change;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::session::{Role, Session};
use crate::tally::Tally;
use crate::work::Bench;

/// What a write is priced by.
const COUNTERS: [Counter; 3] = [Counter::WalBytes, Counter::RowsWritten, Counter::Buffers];

/// The price of a change that is applied and took `migrated` to apply. `items` are all items.
///
/// # Errors
/// When an operation of today's stops running, or the harness's own.
pub async fn price(
    session: &Session<'_>,
    items: &[&dyn Item],
    tried: &dyn Item,
    change: &Change,
    migrated: Duration,
) -> Result<Vec<Price>> {
    let mut prices = vec![Price {
        what: PriceOf::Migration,
        baseline: 0.0,
        variant: migrated.as_secs_f64(),
        unit: Unit::Seconds,
    }];
    for table in change.touches {
        prices.push(Price {
            what: PriceOf::TableSize {
                table: table.name.to_owned(),
            },
            baseline: session.size(Role::Baseline, *table).await? as f64,
            variant: session.size(Role::Trial, *table).await? as f64,
            unit: Unit::Bytes,
        });
    }
    for item in items {
        // An item that writes shows its own writes in its work.
        if item.id() == tried.id() {
            continue;
        }
        for operation in item.operations() {
            let written = operation.writes();
            if !written.iter().any(|table| change.touches.contains(table)) {
                continue;
            }
            let at = operation.rungs(session.world()).into_iter().next();
            let Some((at, name)) = at.zip(operation.name().parse().ok()) else {
                continue;
            };
            let mut sides = Vec::new();
            for role in [Role::Baseline, Role::Trial] {
                let today = VariantName::Baseline;
                let Some(probe) = operation.probe(session.oracle(), &today, at) else {
                    break;
                };
                let bench = Bench::open(session, role, PlanMode::Auto).await?;
                let counted = bench.count(&*probe, true, &mut Tally::default()).await;
                bench.close().await;
                let (reading, _) =
                    counted.map_err(|fault| Error::stopped(item.id(), &today, fault))?;
                sides.push(reading);
            }
            let [baseline, variant] = &sides[..] else {
                continue;
            };
            for counter in COUNTERS {
                let (Some(before), Some(after)) = (baseline.get(&counter), variant.get(&counter))
                else {
                    continue;
                };
                prices.push(Price {
                    what: PriceOf::PerCall {
                        item: item.id().parse()?,
                        operation: OperationName::clone(&name),
                        counter,
                    },
                    baseline: *before,
                    variant: *after,
                    unit: counter.unit(),
                });
            }
        }
    }
    Ok(prices)
}
