//! What is timed where, and how a pair is seated for it.

use std::sync::Arc;

use criterion::Criterion;
use verdict_audit::evidence::Latency;
use verdict_audit::{At, Finding, OperationName, Promise, Quantity, VariantName, Warning};
use verdict_seed::World;
use verdict_store::{Fault, Refusal};

use crate::court::{Case, Clockwork, Court};
use crate::engine_time::{Side, engine_time};
use crate::error::Result;
use crate::item::Item;
use crate::latency::{Pair, Restore, Seat, Stopped, replay, sample};
use crate::operation::{AnyOperation, Ladder, Leaves, Probe};
use crate::recording::{Recording, Sampled};
use crate::session::{Depth, ROLES, Role};
use crate::tally::Tally;

impl Court<'_> {
    /// The baseline against itself on one database: what the machine's noise does to a ratio, on
    /// the first operation that only reads, runs, and is measured at 1 000 rows. `None` where
    /// there is none.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn self_check(&self, criterion: &mut Criterion) -> Result<Option<Latency>> {
        let at = At::rung(1_000);
        let today = VariantName::Baseline;
        for item in self.items {
            for operation in item.operations() {
                if operation.leaves() != Leaves::Nothing
                    || operation.ladder() != Ladder::Rows
                    || operation.aside()
                    || !operation.rungs(self.session.world()).contains(&at)
                {
                    continue;
                }
                self.watcher.step("a-a", &today, "timing");
                let place = Place {
                    operation: &*operation,
                    at,
                    judged: true,
                };
                let sides = [Role::Baseline, Role::Baseline];
                let found = self.against_itself(criterion, "a-a", place, sides, &same)?;
                if let Some(cell) = found.filter(|cell| cell.ratio.is_some()) {
                    return Ok(Some(cell));
                }
            }
        }
        Ok(None)
    }

    /// Today's call on one side against what `made` makes of today's call on another; `None`
    /// where it does not run.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn against_itself(
        &self,
        criterion: &mut Criterion,
        group: &str,
        place: Place<'_>,
        sides: [Role; 2],
        made: &dyn Fn(Arc<dyn Probe>) -> Arc<dyn Probe>,
    ) -> Result<Option<Latency>> {
        let today = VariantName::Baseline;
        let Place { operation, at, .. } = place;
        let name = format!("{}/{}", operation.name(), at.n);
        let probe = || operation.probe(self.session.oracle(), &today, at);
        let (Some(before), Some(after)) = (probe(), probe()) else {
            return Ok(None);
        };
        let seat = |probe, role| Seat {
            probe,
            store: Box::new(move || {
                Box::pin(self.session.seat(role, true, None, |as_it_is| as_it_is))
            }),
        };
        let pair = Pair {
            baseline: Some(seat(before, sides[0])),
            variant: seat(made(after), sides[1]),
            callers: at.callers,
            restore: self.renewal(operation),
            order: self.session.seed(&format!("order of {group}/{name}")),
            judged: place.judged,
        };
        let mut recording = Recording::default();
        let mut benches = criterion.benchmark_group(group);
        let none = &mut Tally::default();
        let sampled = sample(
            &mut benches,
            &name,
            self.runtime,
            &pair,
            &mut recording,
            none,
        );
        benches.finish();
        match sampled {
            Ok(()) => {}
            Err(Stopped {
                fault: Fault::Harness(error),
                ..
            }) => return Err(error.into()),
            Err(_) => return Ok(None),
        }
        Ok(recording.latency(&operation.name().parse()?, at))
    }

    /// Gives back what an operation leaves on both sides, where nobody can take it back.
    fn renewal<'s>(&'s self, operation: &dyn AnyOperation) -> Option<Restore<'s>> {
        let Leaves::Renew(tables) = operation.leaves() else {
            return None;
        };
        Some(Box::new(move || {
            Box::pin(async move {
                for role in ROLES {
                    let given = self.session.give_back(role, tables).await;
                    given.map_err(|error| verdict_store::Error::NotRenewed(error.to_string()))?;
                }
                Ok(())
            })
        }))
    }

    /// Times a variant wherever it is asked for, beside today where today runs; its own words
    /// where it stops running.
    pub(crate) fn time(
        &self,
        case: Case<'_>,
        mut today_runs: bool,
        clockwork: &mut Clockwork<'_>,
        evidence: (&mut Vec<Latency>, &mut Tally),
    ) -> Result<Option<Refusal>> {
        let (latencies, tally) = evidence;
        for operation in case.item.operations() {
            let name: OperationName = operation.name().parse()?;
            let bounds = (self.session.world(), self.session.depth());
            for at in places(&*operation, &name, case.finding, bounds) {
                let bench = bench_name(&name, case.variant, at);
                if !(clockwork.selected)(&format!("{}/{bench}", case.item.id())) {
                    continue;
                }
                let step = format!("timing {name} at {at}");
                self.watcher.step(case.item.id(), case.variant, &step);
                let place = Place {
                    operation: &*operation,
                    at,
                    judged: judges(case.finding, &name, at),
                };
                let mut cell = self.cell(case, place, today_runs, clockwork, tally)?;
                if let Err(Stopped {
                    side: Sampled::Baseline,
                    fault: Fault::Variant(refusal),
                }) = &cell
                {
                    self.watcher.warn(Warning::TodayStopped {
                        item: case.finding.id.clone(),
                        operation: name.clone(),
                        at,
                        words: refusal.to_string(),
                    });
                    today_runs = false;
                    cell = self.cell(case, place, today_runs, clockwork, tally)?;
                }
                let cell = match cell {
                    Ok(cell) => cell,
                    Err(Stopped { fault, .. }) => match fault {
                        Fault::Variant(refusal) => return Ok(Some(refusal)),
                        Fault::Harness(error) => return Err(error.into()),
                    },
                };
                latencies.extend(cell);
            }
        }
        Ok(None)
    }

    /// One cell: a pair at one place.
    fn cell(
        &self,
        case: Case<'_>,
        place: Place<'_>,
        today_runs: bool,
        clockwork: &mut Clockwork<'_>,
        tally: &mut Tally,
    ) -> Result<std::result::Result<Option<Latency>, Stopped>> {
        let Place { operation, at, .. } = place;
        let name: OperationName = operation.name().parse()?;
        let probe = |variant: &VariantName| operation.probe(self.session.oracle(), variant, at);
        let Some(after) = probe(case.variant) else {
            return Ok(Ok(None));
        };
        let before = probe(&VariantName::Baseline).filter(|_| today_runs);
        // Without a change of the schema, both sides are called on one database: copies of it
        // are not alike.
        let roles = if case.change.is_none() {
            [case.role(); 2]
        } else {
            ROLES
        };
        let lines = match at.round_trip_us {
            0 => None,
            _ => Some([
                self.session.line(roles[0], at)?,
                self.session.line(roles[1], at)?,
            ]),
        };
        let standing;
        let endpoints = match &lines {
            Some([_, line]) => line.endpoints(),
            None => {
                standing = self.session.endpoints(roles[1]);
                &standing
            }
        };
        let round_trip = self.runtime.block_on(endpoints.measured_round_trip())?;
        let seat = |side: Sampled, probe: Arc<dyn Probe>| {
            let (session, role) = (self.session, roles[side as usize]);
            let line = lines.as_ref().map(|lines| &lines[side as usize]);
            let today = side == Sampled::Baseline;
            Seat {
                probe,
                store: Box::new(move || {
                    Box::pin(session.seat(role, today, line, |as_it_is| as_it_is))
                }),
            }
        };
        let bench = bench_name(&name, case.variant, at);
        let of = case.item.id();
        let pair = Pair {
            baseline: before.map(|probe| seat(Sampled::Baseline, probe)),
            variant: seat(Sampled::Variant, after),
            callers: at.callers,
            restore: self.renewal(operation),
            order: self.session.seed(&format!("order of {of}/{bench}")),
            judged: place.judged,
        };
        let mut recording = Recording::default();
        let mut group = clockwork.criterion.benchmark_group(of);
        let sampled = sample(
            &mut group,
            &bench,
            self.runtime,
            &pair,
            &mut recording,
            tally,
        );
        let today = bench_name(&name, &VariantName::Baseline, at);
        if sampled.is_ok()
            && *case.variant == VariantName::Optimized
            && !recording.todays().is_empty()
            && (clockwork.selected)(&format!("{}/{today}", case.item.id()))
        {
            replay(&mut group, &today, &recording);
        }
        group.finish();
        if let Err(stopped) = sampled {
            return Ok(Err(stopped));
        }
        let side = |sampled: Sampled, variant: &VariantName| {
            Some(Side {
                probe: probe(variant)?,
                role: roles[sampled as usize],
                today: sampled == Sampled::Baseline,
            })
        };
        let sides = [
            side(Sampled::Baseline, &VariantName::Baseline).filter(|_| today_runs),
            side(Sampled::Variant, case.variant),
        ];
        let engine = engine_time(self.session, sides, at.callers, pair.restore.as_ref());
        let engine = self.runtime.block_on(engine)?;
        let cell = recording.latency(&name, at);
        let dear = |cell: &Latency| cell.rounds == 0 && !place.judged;
        if let Some(cell) = &cell
            && cell.baseline.is_some()
            && cell.ratio.is_none()
            && !dear(cell)
        {
            self.watcher.warn(Warning::NoRatio {
                item: case.finding.id.clone(),
                variant: case.variant.clone(),
                operation: name,
                at,
            });
        }
        Ok(Ok(cell.map(|cell| Latency {
            engine,
            measured_round_trip_us: Some(round_trip.as_secs_f64() * 1e6),
            ..cell
        })))
    }
}

/// Today's call as it is.
pub fn same(call: Arc<dyn Probe>) -> Arc<dyn Probe> {
    call
}

/// Where an operation is timed.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What is called.
    pub operation: &'a dyn AnyOperation,
    /// Where.
    pub at: At,
    /// Whether a claim is judged there.
    pub judged: bool,
}

/// Whether a claim on time is judged on an operation at a place.
pub(crate) fn judges(finding: &Finding, name: &OperationName, place: At) -> bool {
    finding.claims.iter().any(|claim| {
        claim.operation.as_ref().is_none_or(|of| of == name)
            && matches!(
                claim.promise,
                Promise::Ratio { of: Quantity::Time | Quantity::P95, at, .. } if at == place
            )
    })
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

/// How many cells of an item are timed, of a full trial or a quick one: its pairs wherever they
/// are asked for, and the copies of the database that a change is tried on.
///
/// # Errors
/// A name that no catalogue could have.
pub fn timed_cells(item: &dyn Item, finding: &Finding, bounds: (&World, Depth)) -> Result<usize> {
    let variants = item.variants();
    let changed = variants.iter().any(|(_, change)| !change.is_none());
    let mut cells = 0;
    for operation in item.operations() {
        let name: OperationName = operation.name().parse()?;
        let places = places(&*operation, &name, finding, bounds).len();
        let tried = variants.iter().filter(|(variant, _)| {
            *variant != VariantName::Baseline && operation.offered_by(variant)
        });
        cells += places * tried.count() + usize::from(changed && places > 0);
    }
    Ok(cells)
}

/// The places where an operation is timed: all of them, or when time is short those where a
/// claim on its time is judged.
pub(crate) fn places(
    operation: &dyn AnyOperation,
    name: &OperationName,
    finding: &Finding,
    (world, depth): (&World, Depth),
) -> Vec<At> {
    if operation.aside() {
        return Vec::new();
    }
    let all = operation.rungs(world);
    if depth == Depth::Full {
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
