//! How much work: counted per call, at each rung of the ladder.

use std::time::{Duration, Instant};

use verdict_audit::evidence::{Growth, PlanMode, Plans, Work};
use verdict_audit::slope::growth;
use verdict_audit::{At, Counter, OperationName, VariantName};
use verdict_engines::Line;
use verdict_store::{Connect, Fault, Store};

use crate::error::{Error, Result};
use crate::item::Item;
use crate::meters::{ClickHouse, Client, Meter, Postgres, Reading, Redis, Wire, plans_used};
use crate::operation::{AnyOperation, Probe};
use crate::session::{Depth, Role, Session};
use crate::tally::Tally;

/// The counters that growth is fitted on: what the audit calls rows scanned, and what it calls
/// slow about deleting.
const GROWING: [Counter; 2] = [Counter::RowsRead, Counter::RowsWritten];

/// Calls made before counting: from the sixth execution on PostgreSQL may use a generic plan.
pub const WARM_UP_CALLS: u64 = 6;

/// Counted calls at a rung.
const CALLS: u64 = 5;

/// A call that takes longer is counted once: counters do not vary, patience does.
const SLOW: Duration = Duration::from_millis(300);

/// How long a connection may take to return to its pool after a call.
const RETURN: Duration = Duration::from_secs(1);

/// Work at every rung of every operation, and how it grows along them.
#[derive(Debug, Default)]
pub struct Counted {
    /// The work.
    pub work: Vec<Work>,
    /// A fit for each operation, plan mode and counter that has one.
    pub growth: Vec<Growth>,
}

/// Counts the calls of one variant at every rung of every operation, with the plans PostgreSQL
/// chooses by itself and, where those are custom ones, with generic plans beside them. What is
/// wrong with the counted answers goes into the tally.
///
/// # Errors
/// [`Error::Stopped`] when the variant stops running, or the harness's own.
pub async fn count(
    session: &Session<'_>,
    item: &dyn Item,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<Counted> {
    let mut counted = Counted::default();
    let role = Role::of(variant);
    for operation in item.operations() {
        let name: OperationName = operation.name().parse()?;
        for plan_mode in [PlanMode::Auto, PlanMode::Generic] {
            let bench = Bench::open(session, role, plan_mode).await?;
            for at in rungs(&*operation, session) {
                let again = plan_mode == PlanMode::Auto || customs(&counted.work, &name, at);
                let probe = operation.probe(session.oracle(), variant, at);
                let (Some(probe), true) = (probe, again) else {
                    continue;
                };
                let quick = session.depth() == Depth::Quick;
                let (counters, plans) = bench
                    .count(&*probe, quick, tally)
                    .await
                    .map_err(|fault| Error::stopped(item.id(), variant, fault))?;
                counted.work.push(Work {
                    operation: name.clone(),
                    at,
                    plan_mode,
                    plans,
                    counters,
                });
            }
            bench.close().await;
            for counter in GROWING {
                counted
                    .growth
                    .extend(growth(&counted.work, &name, plan_mode, counter).ok());
            }
        }
    }
    Ok(counted)
}

/// The rungs that work is counted at: one caller on the line as it is.
fn rungs(operation: &dyn AnyOperation, session: &Session<'_>) -> Vec<At> {
    let mut rungs = operation.rungs(session.world());
    rungs.retain(|at| at.is_rung());
    rungs
}

/// Whether custom plans were used at a rung, so that generic ones are still to be seen.
fn customs(work: &[Work], operation: &OperationName, at: At) -> bool {
    work.iter().any(|counted| {
        counted.operation == *operation
            && counted.at == at
            && matches!(counted.plans, Some(Plans::Custom | Plans::Mixed))
    })
}

/// A store of one connection per engine, by way of a line, with every meter on it.
pub(crate) struct Bench {
    store: Store,
    line: Line,
    comment: String,
    endpoints: verdict_engines::Endpoints,
}

impl Bench {
    pub(crate) async fn open(
        session: &Session<'_>,
        role: Role,
        plan_mode: PlanMode,
    ) -> Result<Self> {
        let line = session.line(role, At::rung(0))?;
        let comment = format!("verdict-{:016x}", rand::random::<u64>());
        let mode = match plan_mode {
            PlanMode::Auto => "auto",
            PlanMode::Generic => "force_generic_plan",
        };
        let store = session
            .connect(role, Some(&line), |connect| Connect {
                pool: connect.pool.min_connections(1).max_connections(1),
                postgres: vec![("plan_cache_mode", mode.to_owned())],
                clickhouse: vec![
                    ("log_comment", comment.clone()),
                    // Without it a summary is sent before the query is done.
                    ("wait_end_of_query", "1".to_owned()),
                ],
                counted: true,
                ..connect
            })
            .await?;
        Ok(Self {
            store,
            line,
            comment,
            endpoints: session.endpoints(role),
        })
    }

    /// Counts a few calls of a probe, after as many as PostgreSQL needs to settle on a plan.
    pub(crate) async fn count(
        &self,
        probe: &dyn Probe,
        quick: bool,
        tally: &mut Tally,
    ) -> std::result::Result<(Reading, Option<Plans>), Fault> {
        let store = &self.store;
        self.at_rest().await;
        let before = self.line.totals();
        let mut slow = false;
        for _ in 0..WARM_UP_CALLS {
            let started = Instant::now();
            probe.call(store, false).await?;
            slow = started.elapsed() > SLOW;
            probe.settle(store, tally).await?;
            if slow && quick {
                break;
            }
        }
        let after = self.line.totals();

        // A meter is only put on an engine that the calls have to do with; the wire's comes
        // last, so that it begins after the others and ends before them.
        let mut meters: Vec<Box<dyn Meter + '_>> = Vec::new();
        if after.postgres.turns > before.postgres.turns {
            meters.push(Box::new(Postgres::new(&store.postgres).await));
        }
        if after.clickhouse.turns > before.clickhouse.turns {
            let client = self.endpoints.clickhouse.clone();
            let meter = ClickHouse::new(client, self.comment.clone(), &self.line);
            meters.push(Box::new(meter));
        }
        if after.redis.turns > before.redis.turns {
            meters.push(Box::new(Redis::connect(&self.endpoints.redis).await?));
        }
        meters.push(Box::new(Client::new(&store.client)));
        meters.push(Box::new(Wire::new(&self.line)));

        let plans = plans_used(&store.postgres).await?;
        let mut readings = Vec::new();
        let calls = if slow { 1 } else { CALLS };
        for _ in 0..calls {
            for meter in &mut meters {
                self.at_rest().await;
                meter.begin().await?;
            }
            store
                .hear(async { probe.call(store, true).await.map(drop) })
                .await?;
            self.at_rest().await;
            let mut reading = Reading::new();
            for meter in meters.iter_mut().rev() {
                for (counter, value) in meter.end().await? {
                    *reading.entry(counter).or_default() += value;
                }
            }
            readings.push(reading);
            probe.settle(store, tally).await?;
        }
        let plans = plans_used(&store.postgres).await?.since(plans);
        Ok((per_call(&readings), plans))
    }

    /// Waits until the connection is back in its pool, which asks it whether it lives: these
    /// turns belong to the call before.
    async fn at_rest(&self) {
        let pool = &self.store.postgres;
        let started = Instant::now();
        while pool.num_idle() < pool.size() as usize && started.elapsed() < RETURN {
            tokio::time::sleep(Duration::from_micros(50)).await;
        }
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// What a call counts, from several: the mean, but of turns the median, since a packet that is
/// late may split one in two. A counter that one call could not be told by is told by none.
fn per_call(readings: &[Reading]) -> Reading {
    let Some(first) = readings.first() else {
        return Reading::new();
    };
    first
        .keys()
        .filter_map(|counter| {
            let mut values = readings
                .iter()
                .map(|reading| reading.get(counter).copied())
                .collect::<Option<Vec<f64>>>()?;
            values.sort_by(f64::total_cmp);
            let value = match counter {
                Counter::WireTurns => values[values.len() / 2],
                _ => values.iter().sum::<f64>() / values.len() as f64,
            };
            Some((*counter, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_a_late_packet_split_is_one_and_other_counters_are_means() {
        let reading = |turns: f64, buffers: f64| -> Reading {
            [(Counter::WireTurns, turns), (Counter::Buffers, buffers)].into()
        };
        let told = per_call(&[reading(3.0, 4.0), reading(4.0, 4.0), reading(3.0, 7.0)]);
        assert_eq!(told[&Counter::WireTurns], 3.0);
        assert_eq!(told[&Counter::Buffers], 5.0);
    }

    #[test]
    fn a_counter_that_one_call_lacks_is_told_by_none() {
        let with: Reading = [(Counter::WalBytes, 9.0), (Counter::Buffers, 1.0)].into();
        let without: Reading = [(Counter::Buffers, 1.0)].into();
        let told = per_call(&[with, without]);
        assert_eq!(told, [(Counter::Buffers, 1.0)].into());
    }
}
