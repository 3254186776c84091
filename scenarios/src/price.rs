//! At what price: what a fix adds to the store and to writes.
//!
//! The price of a change is what it does to today's operations, of every item, that write what
//! it touches.

use std::time::Duration;

use verdict_audit::evidence::{PlanMode, Price, PriceOf};
use verdict_audit::{Counter, ItemId, OperationName, Unit, VariantName};

use crate::court::{Case, Court};
use crate::error::Result;
use crate::item::Item;
use crate::operation::{AnyOperation, Ladder};
use crate::session::{ROLES, Role};
use crate::tally::Tally;

/// What a write is priced by.
const COUNTERS: [Counter; 4] = [
    Counter::WalBytes,
    Counter::RowsWritten,
    Counter::BytesWritten,
    Counter::Buffers,
];

impl Court<'_> {
    /// The price of a case's change, which is applied and took `migrated` to apply.
    pub(crate) fn price(&self, case: Case<'_>, migrated: Duration) -> Result<Vec<Price>> {
        let session = self.session;
        let mut prices = vec![Price {
            what: PriceOf::Migration,
            baseline: 0.0,
            variant: migrated.as_secs_f64(),
            unit: Unit::Seconds,
        }];
        for table in case.change.touches {
            let size = |role| self.runtime.block_on(session.size(role, *table));
            prices.push(Price {
                what: PriceOf::TableSize {
                    table: table.name.to_owned(),
                },
                baseline: size(Role::Baseline)? as f64,
                variant: size(Role::Trial)? as f64,
                unit: Unit::Bytes,
            });
        }
        for item in self.items {
            // An item that writes shows its own writes in its work.
            if item.id() == case.item.id() {
                continue;
            }
            for operation in item.operations() {
                let writes = operation.writes();
                if writes
                    .iter()
                    .any(|table| case.change.touches.contains(table))
                {
                    prices.extend(self.per_call(*item, &*operation)?);
                }
            }
        }
        Ok(prices)
    }

    /// What one call of an operation of today's costs on either side. None where it does not run
    /// on one of them, which is for `additive` to tell.
    fn per_call(&self, item: &dyn Item, operation: &dyn AnyOperation) -> Result<Vec<Price>> {
        let session = self.session;
        let mut rungs = operation.rungs(session.world()).into_iter();
        let at = match operation.ladder() {
            Ladder::Rows => rungs.next(),
            // The whole: parts of the world are there for the item's own trial.
            Ladder::Events => rungs.next_back(),
        };
        let Some(at) = at else {
            return Ok(Vec::new());
        };
        let mut sides = Vec::new();
        for role in ROLES {
            let today = VariantName::Baseline;
            let Some(probe) = operation.probe(session.oracle(), &today, at) else {
                return Ok(Vec::new());
            };
            let none = &mut Tally::default();
            match self.one_place(role, operation, &*probe, PlanMode::Auto, none)? {
                Ok((reading, _)) => sides.push(reading),
                Err(_) => return Ok(Vec::new()),
            }
        }
        let [baseline, variant] = &sides[..] else {
            return Ok(Vec::new());
        };
        let (item, name): (ItemId, OperationName) = (item.id().parse()?, operation.name().parse()?);
        Ok(COUNTERS
            .into_iter()
            .filter_map(|counter| {
                Some(Price {
                    what: PriceOf::PerCall {
                        item: item.clone(),
                        operation: name.clone(),
                        counter,
                    },
                    baseline: *baseline.get(&counter)?,
                    variant: *variant.get(&counter)?,
                    unit: counter.unit(),
                })
            })
            .collect())
    }
}
