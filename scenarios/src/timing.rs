//! What is timed where, and how a pair is seated for it.

use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use verdict_audit::evidence::{Latency, Ratio};
use verdict_audit::{At, Finding, OperationName, Promise, Quantity, VariantName, Warning};
use verdict_engines::Line;
use verdict_seed::World;
use verdict_store::{Fault, Refusal};

use crate::court::{Case, Clockwork, Court};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::latency::{Pair, Sampling, Seat, sample};
use crate::operation::{AnyOperation, Leaves, Probe};
use crate::recording::{Recording, Sampled};
use crate::session::{Depth, ROLES, Role, Session};
use crate::tally::Tally;

impl Court<'_> {
    /// The baseline against itself: what the machine's noise does to a ratio, on the first
    /// operation that only reads and is measured at 1 000 rows. `None` where there is none.
    ///
    /// # Errors
    /// When today stops running, or the harness's own.
    pub fn self_check(&self, criterion: &mut Criterion) -> Result<Option<Ratio>> {
        let at = At::rung(1_000);
        let today = VariantName::Baseline;
        let reading = self.items.iter().find_map(|item| {
            let operation = item.operations().into_iter().find(|operation| {
                operation.leaves() == Leaves::Nothing
                    && operation.rungs(self.session.world()).contains(&at)
            })?;
            Some(operation)
        });
        let Some(operation) = reading else {
            return Ok(None);
        };
        let seat = || {
            Some(Seat {
                probe: operation.probe(self.session.oracle(), &today, at)?,
                store: self.session.store(&today),
            })
        };
        let (baseline, Some(variant)) = (seat(), seat()) else {
            return Ok(None);
        };
        self.watcher.step("a-a", &today, "timing");
        let mut recording = Recording::default();
        let mut group = criterion.benchmark_group("a-a");
        let sampling = Sampling {
            name: "baseline against itself",
            sampled: Sampled::Variant,
            callers: 1,
        };
        let pair = Pair { baseline, variant };
        sample(
            &mut group,
            sampling,
            self.runtime,
            &pair,
            &mut recording,
            &mut Tally::default(),
        )
        .map_err(Error::from)?;
        group.finish();
        let name: OperationName = operation.name().parse()?;
        let latency = recording.latency(&name, at, self.session.world().spec().seed);
        Ok(latency.and_then(|latency| latency.ratio))
    }

    /// Times a variant wherever it is asked for, beside today where today runs; a side's own
    /// words where it stops running.
    pub(crate) fn time(
        &self,
        case: Case<'_>,
        today_runs: bool,
        clockwork: &mut Clockwork<'_>,
        latencies: &mut Vec<Latency>,
        tally: &mut Tally,
    ) -> Result<Option<Refusal>> {
        let (session, item) = (self.session, case.item);
        for operation in item.operations() {
            let name: OperationName = operation.name().parse()?;
            for at in places(&*operation, &name, case.finding, session) {
                let probe = |variant| operation.probe(session.oracle(), variant, at);
                let Some(after) = probe(case.variant) else {
                    continue;
                };
                let before = probe(&VariantName::Baseline).filter(|_| today_runs);
                // Criterion samples today's side once, beside the fix done right.
                let mut sides = vec![(Sampled::Variant, case.variant)];
                if *case.variant == VariantName::Optimized && before.is_some() {
                    sides.push((Sampled::Baseline, &VariantName::Baseline));
                }
                let sides: Vec<(Sampled, String)> = sides
                    .into_iter()
                    .map(|(sampled, side)| (sampled, bench_name(&name, side, at)))
                    .filter(|(_, bench)| (clockwork.selected)(&format!("{}/{bench}", item.id())))
                    .collect();
                if sides.is_empty() {
                    continue;
                }
                let step = format!("timing {name} at {at}");
                self.watcher.step(item.id(), case.variant, &step);
                let seated = self.seat(case, before, after, at)?;
                let mut recording = Recording::default();
                let mut group = clockwork.criterion.benchmark_group(item.id());
                let mut stopped = None;
                for (sampled, bench) in sides {
                    let sampling = Sampling {
                        name: &bench,
                        sampled,
                        callers: at.callers,
                    };
                    let sampled = sample(
                        &mut group,
                        sampling,
                        self.runtime,
                        &seated.pair,
                        &mut recording,
                        tally,
                    );
                    match sampled {
                        Ok(()) => {}
                        Err(Fault::Variant(refusal)) => {
                            stopped = Some(refusal);
                            break;
                        }
                        Err(Fault::Harness(error)) => return Err(error.into()),
                    }
                }
                group.finish();
                let round_trip = seated.round_trip;
                drop(seated);
                let latency = recording.latency(&name, at, session.world().spec().seed);
                if latency
                    .as_ref()
                    .is_some_and(|latency| latency.baseline.is_some() && latency.ratio.is_none())
                {
                    self.watcher.warn(Warning::NoRatio {
                        item: case.finding.id.clone(),
                        variant: case.variant.clone(),
                        operation: name.clone(),
                        at,
                    });
                }
                latencies.extend(latency.map(|latency| Latency {
                    measured_round_trip_us: round_trip.map(|time| time.as_secs_f64() * 1e6),
                    ..latency
                }));
                for role in ROLES {
                    self.given_back(role, &*operation)?;
                }
                if stopped.is_some() {
                    return Ok(stopped);
                }
            }
        }
        Ok(None)
    }

    /// Seats both sides, by way of a line where the place has one.
    fn seat(
        &self,
        case: Case<'_>,
        before: Option<Arc<dyn Probe>>,
        after: Arc<dyn Probe>,
        at: At,
    ) -> Result<Seated> {
        let session = self.session;
        let mut lines: Vec<Line> = Vec::new();
        let mut seat = |probe, variant: &VariantName| -> Result<Seat> {
            let role = Role::of(variant);
            if at.round_trip_us == 0 {
                let store = session.store(variant);
                return Ok(Seat { probe, store });
            }
            let line = session.line(role, at)?;
            let connected = session.connect(role, Some(&line), |connect| connect);
            let store = self.runtime.block_on(connected)?;
            lines.push(line);
            Ok(Seat { probe, store })
        };
        let baseline = before
            .map(|probe| seat(probe, &VariantName::Baseline))
            .transpose()?;
        let variant = seat(after, case.variant)?;
        let round_trip = match lines.last() {
            Some(line) => Some(self.runtime.block_on(line.measured_round_trip())?),
            None => None,
        };
        Ok(Seated {
            pair: Pair { baseline, variant },
            round_trip,
            _lines: lines,
        })
    }
}

/// A pair with the lines that its stores go by, which end with it.
struct Seated {
    pair: Pair,
    round_trip: Option<Duration>,
    _lines: Vec<Line>,
}

/// A bench's name within its item's group.
fn bench_name(operation: &OperationName, side: &VariantName, at: At) -> String {
    let mut name = format!("{operation}/{side}/{}", at.n);
    if at.callers > 1 {
        name.push_str(&format!("x{}", at.callers));
    }
    if at.round_trip_us > 0 {
        name.push_str(&format!("+{}us", at.round_trip_us));
    }
    name
}

/// The full names of an item's benches in a full trial.
///
/// # Errors
/// A name that no catalogue could have.
pub fn bench_names(item: &dyn Item, world: &World) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for operation in item.operations() {
        if operation.aside() {
            continue;
        }
        let name: OperationName = operation.name().parse()?;
        for at in operation.rungs(world) {
            for (side, _) in item.variants() {
                if operation.offered_by(&side) {
                    names.push(format!("{}/{}", item.id(), bench_name(&name, &side, at)));
                }
            }
        }
    }
    Ok(names)
}

/// The places where an operation is timed: all of them, or when time is short those where a
/// claim on its time is judged.
fn places(
    operation: &dyn AnyOperation,
    name: &OperationName,
    finding: &Finding,
    session: &Session<'_>,
) -> Vec<At> {
    if operation.aside() {
        return Vec::new();
    }
    let all = operation.rungs(session.world());
    if session.depth() == Depth::Full {
        return all;
    }
    let mut places: Vec<At> = finding
        .claims
        .iter()
        .filter(|claim| claim.operation.as_ref().is_none_or(|of| of == name))
        .filter_map(|claim| match claim.promise {
            Promise::Ratio {
                of: Quantity::Time | Quantity::P95,
                at,
                ..
            } => Some(at),
            _ => None,
        })
        // A world whose ladder does not reach the place shows at least how far it goes.
        .filter_map(|at| {
            let reached = all.iter().filter(|place| **place <= at);
            all.contains(&at)
                .then_some(at)
                .or_else(|| reached.max().copied())
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}
