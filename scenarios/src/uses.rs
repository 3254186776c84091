//! What indexes are for: which calls, of every item, look into each of them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{PgPool, query_as, query_scalar};
use verdict_audit::evidence::PlanMode;
use verdict_audit::{Counter, VariantName};
use verdict_store::fault::Doing;
use verdict_store::{Connect, Error, Fault};

use crate::court::{Case, Court};
use crate::error::Result;
use crate::meters::tell_statistics;
use crate::operation::{AnyOperation, Ladder, Leaves};
use crate::session::Role;
use crate::tally::Tally;

/// Calls of an operation at each place.
const CALLS: usize = 8;

impl Court<'_> {
    /// Tells which calls look into the indexes that a variant makes; of today, which of its
    /// indexes none does. Those that keep rows unique are for that.
    pub(crate) fn uses(&self, case: Case<'_>, tally: &mut Tally) -> Result<()> {
        let role = case.role();
        let stores = [Role::Baseline, role].map(|role| self.session.store_of(role));
        let [today, now] = stores.each_ref().map(|store| indexes(&store.postgres));
        let today = self.runtime.block_on(today)?;
        let mut uses: BTreeMap<String, Vec<String>> = self
            .runtime
            .block_on(now)?
            .into_iter()
            .filter(|index| case.change.is_none() || !today.contains(index))
            .map(|index| (index, Vec::new()))
            .collect();
        let mut operations = 0_u32;
        for item in self.items {
            for operation in item.operations() {
                if operation.ladder() != Ladder::Rows
                    || matches!(operation.leaves(), Leaves::Renew(_))
                {
                    continue;
                }
                operations += 1;
                let own = item.id() == case.item.id();
                let variant = if own {
                    case.variant
                } else {
                    &VariantName::Baseline
                };
                let used = self.used(role, &*operation, variant);
                let used = self.runtime.block_on(used)?;
                if !used.iter().any(|index| uses.contains_key(index)) {
                    continue;
                }
                let mut by = format!("{} {}", item.id(), operation.name());
                if !case.change.is_none() {
                    by.push_str(&self.buffers(&*operation, case.variant, own)?);
                }
                for index in used {
                    uses.entry(index).and_modify(|all| all.push(by.clone()));
                }
            }
        }
        if case.change.is_none() {
            let all = uses.len();
            let idle: Vec<String> = uses
                .into_iter()
                .filter_map(|(index, by)| by.is_empty().then_some(index))
                .collect();
            tally.declare(format!(
                "of {all} indexes that keep nothing unique, none of {operations} operations looks \
                 into {}: {}",
                idle.len(),
                idle.join(", ")
            ));
            return Ok(());
        }
        for (index, by) in uses {
            tally.declare(format!(
                "{} of {operations} operations look into {index}: {}",
                by.len(),
                if by.is_empty() {
                    "none".to_owned()
                } else {
                    by.join(", ")
                }
            ));
        }
        Ok(())
    }

    /// What a call at the operation's largest place reads today and on the changed schema.
    fn buffers(
        &self,
        operation: &dyn AnyOperation,
        variant: &VariantName,
        own: bool,
    ) -> Result<String> {
        let Some(at) = operation
            .rungs(self.session.world())
            .into_iter()
            .next_back()
        else {
            return Ok(String::new());
        };
        let today = VariantName::Baseline;
        let changed = if own { variant } else { &today };
        let mut buffers = Vec::new();
        for (role, variant) in [(Role::Baseline, &today), (Role::of(variant), changed)] {
            let Some(probe) = operation.probe(self.session.oracle(), variant, at) else {
                return Ok(String::new());
            };
            let none = &mut Tally::default();
            let counted = self.one_place(role, operation, &*probe, PlanMode::Auto, none)?;
            let counted = counted
                .ok()
                .and_then(|(read, _)| read.get(&Counter::Buffers).copied());
            buffers.extend(counted);
        }
        Ok(match buffers[..] {
            [today, changed] => format!(" ({today:.1} to {changed:.1} buffers at {at})"),
            _ => String::new(),
        })
    }

    /// The indexes that the calls of an operation look into, at all its places.
    async fn used(
        &self,
        role: Role,
        operation: &dyn AnyOperation,
        variant: &VariantName,
    ) -> Result<BTreeSet<String>> {
        let session = self.session;
        let store = session.connect(role, None, Connect::by_one).await?;
        let mut used = BTreeSet::new();
        for at in operation.rungs(session.world()) {
            let Some(probe) = operation.probe(session.oracle(), variant, at) else {
                continue;
            };
            let before = scans(&store.postgres).await?;
            for _ in 0..CALLS {
                match probe.call(&store, false).await {
                    Ok(_) => {}
                    // That it does not run is for others to tell.
                    Err(Fault::Variant(_)) => break,
                    Err(Fault::Harness(error)) => return Err(error.into()),
                }
            }
            let after = scans(&store.postgres).await?;
            probe.settle(&store, &mut Tally::default()).await?;
            let more = after
                .into_iter()
                .filter(|(index, scans)| before.get(index).is_none_or(|before| before < scans));
            used.extend(more.map(|(index, _)| index));
        }
        store.close().await;
        Ok(used)
    }
}

/// The indexes that keep nothing unique.
async fn indexes(pool: &PgPool) -> std::result::Result<BTreeSet<String>, Error> {
    let names: Vec<String> = query_scalar(
        "SELECT indexrelname::text
        FROM pg_stat_user_indexes
        JOIN pg_index USING (indexrelid)
        WHERE NOT indisunique",
    )
    .fetch_all(pool)
    .await
    .doing("list the indexes")?;
    Ok(names.into_iter().collect())
}

/// How often each index was looked into so far, as far as the pool's one connection knows.
async fn scans(pool: &PgPool) -> std::result::Result<BTreeMap<String, i64>, Error> {
    tell_statistics(pool).await?;
    let scans: Vec<(String, i64)> =
        query_as("SELECT indexrelname::text, idx_scan FROM pg_stat_user_indexes")
            .fetch_all(pool)
            .await
            .doing("read the statistics of indexes")?;
    Ok(scans.into_iter().collect())
}
