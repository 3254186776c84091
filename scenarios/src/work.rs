//! How much work: counted per call, at each rung of the ladder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use verdict_audit::evidence::{Growth, PlanMode, Plans, Work};
use verdict_audit::quantile::median;
use verdict_audit::slope::growth;
use verdict_audit::{At, Counter, OperationName, Promise};
use verdict_engines::{Endpoints, Line};
use verdict_store::{Connect, Fault, Refusal, Store};

use crate::court::{Case, Court};
use crate::error::Result;
use crate::meters::{ClickHouse, Client, Meter, Postgres, Reading, Redis, Wire, plans_used};
use crate::operation::{AnyOperation, Leaves, Probe};
use crate::session::{Depth, Role, Session};
use crate::tally::Tally;

/// The counters that growth is fitted on beside those that the item's claims name: what the
/// audit calls rows scanned, what it calls slow about deleting, and bytes where rows are of
/// columns.
const GROWING: [Counter; 3] = [Counter::RowsRead, Counter::RowsWritten, Counter::BytesRead];

/// Calls made before counting: from the sixth execution on PostgreSQL may use a generic plan.
pub const WARM_UP_CALLS: u64 = 6;

/// Counted calls at a rung.
const CALLS: u64 = 5;

/// A call that takes longer is counted once: counters do not vary, patience does.
const SLOW: Duration = Duration::from_millis(300);

/// How long a connection may take to return to its pool after a call.
const RETURN: Duration = Duration::from_secs(1);

/// Work at every place of every operation, and how it grows along the ladder.
#[derive(Debug, Default)]
pub struct Counted {
    /// The work.
    pub work: Vec<Work>,
    /// A fit for each operation, plan mode and counter that has one.
    pub growth: Vec<Growth>,
}

impl Court<'_> {
    /// Counts the calls of a variant at every place of every operation, with the plans
    /// PostgreSQL chooses by itself and, where any of those are custom ones, with generic plans
    /// beside them. What is wrong with the counted answers goes into the tally. Answers the
    /// variant's own words where it stops running; what was counted before stays.
    pub(crate) fn count(
        &self,
        case: Case<'_>,
        counted: &mut Counted,
        tally: &mut Tally,
    ) -> Result<Option<Refusal>> {
        let mut growing = GROWING.to_vec();
        for claim in &case.finding.claims {
            match claim.promise {
                Promise::Growth { of, .. } if !growing.contains(&of) => growing.push(of),
                _ => {}
            }
        }
        for operation in case.item.operations() {
            let name: OperationName = operation.name().parse()?;
            for plan_mode in [PlanMode::Auto, PlanMode::Generic] {
                if plan_mode == PlanMode::Generic && !customs(&counted.work, &name) {
                    continue;
                }
                let stopped = self.count_one(case, &*operation, plan_mode, counted, tally)?;
                if stopped.is_some() {
                    return Ok(stopped);
                }
                for counter in &growing {
                    let fit = growth(&counted.work, &name, plan_mode, *counter);
                    counted.growth.extend(fit.ok());
                }
            }
            let stopped = self.count_crowds(case, &*operation, counted, tally)?;
            if stopped.is_some() {
                return Ok(stopped);
            }
        }
        Ok(None)
    }

    /// The rungs of one operation, with one kind of plans.
    fn count_one(
        &self,
        case: Case<'_>,
        operation: &dyn AnyOperation,
        plan_mode: PlanMode,
        counted: &mut Counted,
        tally: &mut Tally,
    ) -> Result<Option<Refusal>> {
        let session = self.session;
        let mut rungs = operation.rungs(session.world());
        rungs.retain(|at| at.is_rung());
        for at in rungs {
            let Some(probe) = operation.probe(session.oracle(), case.variant, at) else {
                continue;
            };
            match self.one_place(case.role(), operation, &*probe, plan_mode, tally)? {
                Ok((counters, plans)) => counted.work.push(Work {
                    operation: operation.name().parse()?,
                    at,
                    plan_mode,
                    plans,
                    counters,
                }),
                Err(refusal) => return Ok(Some(refusal)),
            }
        }
        Ok(None)
    }

    /// What a call counts at one place. An operation after whose calls tables are given back is
    /// called once for that, without a warm-up.
    pub(crate) fn one_place(
        &self,
        role: Role,
        operation: &dyn AnyOperation,
        probe: &dyn Probe,
        plan_mode: PlanMode,
        tally: &mut Tally,
    ) -> Result<std::result::Result<(Reading, Option<Plans>), Refusal>> {
        let warm_up = match operation.leaves() {
            Leaves::Renew(_) => 0,
            Leaves::Nothing | Leaves::Rows => WARM_UP_CALLS,
        };
        let outcome = self.runtime.block_on(async {
            let bench = Bench::open(self.session, role, plan_mode).await?;
            bench.count(probe, warm_up, tally).await
        })?;
        self.given_back(role, operation)?;
        Ok(outcome)
    }

    /// The places of one operation with many callers at once, where the engines' counters tell
    /// nothing about one call: what the client and the wire see of it.
    fn count_crowds(
        &self,
        case: Case<'_>,
        operation: &dyn AnyOperation,
        counted: &mut Counted,
        tally: &mut Tally,
    ) -> Result<Option<Refusal>> {
        let session = self.session;
        let mut crowds = operation.rungs(session.world());
        crowds.retain(|at| at.callers > 1);
        for at in crowds {
            let Some(probe) = operation.probe(session.oracle(), case.variant, at) else {
                continue;
            };
            let outcome = self.runtime.block_on(async {
                let line = session.line(case.role(), at)?;
                let connected = session.connect(case.role(), Some(&line), |connect| Connect {
                    counted: true,
                    ..connect
                });
                let store = connected.await?;
                let outcome = crowd(&probe, &store, &line, at.callers).await;
                probe.settle(&store, tally).await?;
                store.close().await;
                of_the_variant(outcome)
            })?;
            self.given_back(case.role(), operation)?;
            match outcome {
                Ok(counters) => counted.work.push(Work {
                    operation: operation.name().parse()?,
                    at,
                    plan_mode: PlanMode::Auto,
                    plans: None,
                    counters,
                }),
                Err(refusal) => return Ok(Some(refusal)),
            }
        }
        Ok(None)
    }
}

/// Parts what a variant answered from what the harness could not do.
fn of_the_variant<T>(
    outcome: std::result::Result<T, Fault>,
) -> Result<std::result::Result<T, Refusal>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Fault::Variant(refusal)) => Ok(Err(refusal)),
        Err(Fault::Harness(error)) => Err(error.into()),
    }
}

/// Many callers at once, each with a few calls; what a call counts on average. A connection
/// that does not come in time is counted rather than a fault: that is what is to be seen.
async fn crowd(
    probe: &Arc<dyn Probe>,
    store: &Store,
    line: &Line,
    callers: u32,
) -> std::result::Result<Reading, Fault> {
    let mut meters: [Box<dyn Meter + '_>; 2] = [
        Box::new(Client::new(&store.client)),
        Box::new(Wire::new(line)),
    ];
    for meter in &mut meters {
        meter.begin().await?;
    }
    let calls = (0..callers).map(|_| {
        let (probe, store) = (Arc::clone(probe), store.clone());
        tokio::spawn(async move {
            for call in 0..CALLS {
                let called = async { probe.call(&store, call == 0).await.map(drop) };
                match store.hear(called).await {
                    Ok(()) | Err(Fault::Variant(Refusal::TimedOut(_))) => {}
                    Err(fault) => return Err(fault),
                }
            }
            Ok(())
        })
    });
    for caller in join_all(calls).await {
        match caller {
            Ok(called) => called?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
    let mut reading = Reading::new();
    for meter in &mut meters {
        reading.extend(meter.end().await?);
    }
    for value in reading.values_mut() {
        *value /= f64::from(callers) * CALLS as f64;
    }
    Ok(reading)
}

/// Whether custom plans were used anywhere, so that generic ones are still to be seen.
fn customs(work: &[Work], operation: &OperationName) -> bool {
    work.iter().any(|counted| {
        counted.operation == *operation
            && matches!(counted.plans, Some(Plans::Custom | Plans::Mixed))
    })
}

/// A store of one connection per engine, by way of a line, with every meter on it.
pub(crate) struct Bench {
    store: Store,
    line: Line,
    comment: String,
    endpoints: Endpoints,
    quick: bool,
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
            .connect(role, Some(&line), |mut connect| {
                connect.pool = connect.pool.min_connections(1).max_connections(1);
                connect.postgres.push(("plan_cache_mode", mode.to_owned()));
                connect.clickhouse.extend([
                    ("log_queries", "1".to_owned()),
                    ("log_comment", comment.clone()),
                    // Without it a summary is sent before the query is done.
                    ("wait_end_of_query", "1".to_owned()),
                ]);
                connect.counted = true;
                connect
            })
            .await?;
        Ok(Self {
            store,
            line,
            comment,
            endpoints: session.endpoints(role),
            quick: session.depth() == Depth::Quick,
        })
    }

    /// Counts a few calls of a probe, after as many as PostgreSQL needs to settle on a plan;
    /// the refusal where one of them is refused.
    async fn count(
        self,
        probe: &dyn Probe,
        warm_up: u64,
        tally: &mut Tally,
    ) -> Result<std::result::Result<(Reading, Option<Plans>), Refusal>> {
        let outcome = self.calls(probe, warm_up, tally).await;
        // Whatever came of it, what was written is taken back.
        probe.settle(&self.store, tally).await?;
        self.store.close().await;
        of_the_variant(outcome)
    }

    async fn calls(
        &self,
        probe: &dyn Probe,
        warm_up: u64,
        tally: &mut Tally,
    ) -> std::result::Result<(Reading, Option<Plans>), Fault> {
        let store = &self.store;
        self.at_rest().await;
        let mut slow = false;
        for _ in 0..warm_up {
            let started = Instant::now();
            probe.call(store, false).await?;
            slow = started.elapsed() > SLOW;
            probe.settle(store, tally).await?;
            if slow && self.quick {
                break;
            }
        }
        // The wire's meter comes last, so that it begins after the others and ends before them.
        let mut meters: Vec<Box<dyn Meter + '_>> = vec![
            Box::new(Postgres::new(&store.postgres).await),
            Box::new(ClickHouse::new(
                self.endpoints.clickhouse.clone(),
                self.comment.clone(),
                &self.line,
            )),
            Box::new(Redis::connect(&self.endpoints.redis).await?),
            Box::new(Client::new(&store.client)),
            Box::new(Wire::new(&self.line)),
        ];
        let plans = plans_used(&store.postgres).await?;
        let mut readings = Vec::new();
        let calls = if slow || warm_up == 0 { 1 } else { CALLS };
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
}

/// What a call counts, from several: the mean, but the median of turns, since a packet that is
/// late may split one in two, and of buffers and WAL, since one call in hundreds splits a page or
/// makes a table longer. A counter that one call could not be told by is told by none.
fn per_call(readings: &[Reading]) -> Reading {
    let Some(first) = readings.first() else {
        return Reading::new();
    };
    first
        .keys()
        .filter_map(|counter| {
            let values = readings
                .iter()
                .map(|reading| reading.get(counter).copied())
                .collect::<Option<Vec<f64>>>()?;
            let value = match counter {
                Counter::WireTurns | Counter::Buffers | Counter::WalBytes => median(values)?,
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
    fn what_one_call_in_several_makes_more_of_is_not_shared_out_and_other_counters_are_means() {
        use Counter::{Buffers, RowsRead, WalBytes, WireTurns};
        let reading = |turns: f64, wal: f64, buffers: f64, rows: f64| -> Reading {
            [
                (WireTurns, turns),
                (WalBytes, wal),
                (Buffers, buffers),
                (RowsRead, rows),
            ]
            .into()
        };
        let told = per_call(&[
            reading(3.0, 120.0, 4.0, 1.0),
            reading(4.0, 128.0, 4.0, 2.0),
            reading(3.0, 8_300.0, 7.0, 6.0),
        ]);
        assert_eq!(told[&WireTurns], 3.0);
        assert_eq!(told[&WalBytes], 128.0);
        assert_eq!(told[&Buffers], 4.0);
        assert_eq!(told[&RowsRead], 3.0);
    }

    #[test]
    fn a_counter_that_one_call_lacks_is_told_by_none() {
        let with: Reading = [(Counter::WalBytes, 9.0), (Counter::Buffers, 1.0)].into();
        let without: Reading = [(Counter::Buffers, 1.0)].into();
        let told = per_call(&[with, without]);
        assert_eq!(told, [(Counter::Buffers, 1.0)].into());
    }
}
