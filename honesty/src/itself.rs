//! Today against itself: runs as a trial's, in which every ratio's true value is 1.

use criterion::Criterion;
use verdict_audit::evidence::{Latency, Ratio};
use verdict_audit::{At, Verdict, rules};
use verdict_scenarios::Result;
use verdict_scenarios::court::Court;
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Ladder, Leaves};
use verdict_scenarios::session::{ROLES, Role};
use verdict_scenarios::timing::{Place, same};

use crate::busy::Busy;

/// Rows beyond which a call is too long for many cells of a second.
const LARGEST: u64 = 10_000;

/// Where the two sides of a cell are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// On one database.
    One,
    /// On two copies of it: the ratio is taken from the zero that was measured before.
    Copies,
}

/// A ratio of today against itself.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Where its sides are.
    pub sides: Sides,
    /// Whether a core was kept busy.
    pub busy: bool,
    /// As it is shown.
    pub ratio: Ratio,
    /// Its rounds.
    pub rounds: usize,
    /// Of the 95th percentile, where there were calls enough for one.
    pub p95: Option<Ratio>,
}

impl Cell {
    /// Whether the interval that is shown misses the truth.
    pub fn misses_one(&self) -> bool {
        misses_one(self.ratio)
    }

    /// Whether a verdict is given on it among so many cells, as on a variant that promises any
    /// gain at all.
    pub fn is_judged(&self, among: usize) -> bool {
        let judged = self.ratio.among(among, self.rounds);
        let verdict = rules::speed_up(judged, 1.0, f64::INFINITY).verdict;
        !matches!(verdict, Verdict::NoEffect | Verdict::Inconclusive)
    }
}

/// Whether an interval misses the truth.
pub(crate) fn misses_one(ratio: Ratio) -> bool {
    ratio.lo > 1.0 || ratio.hi < 1.0
}

/// What is asked of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Whether a core is busy beside it.
    pub busy: bool,
    /// Whether what is read of parts of the world is among it.
    pub events: bool,
}

/// One whole run: today's operations, of every item, on both kinds of sides.
///
/// # Errors
/// What the harness could not do.
pub fn run(court: &Court<'_>, criterion: &mut Criterion, asked: Asked) -> Result<Vec<Cell>> {
    let _busy = asked.busy.then(Busy::start);
    let mut cells = Vec::new();
    for item in court.items {
        for operation in item.operations() {
            if operation.ladder() == Ladder::Events && !asked.events {
                continue;
            }
            for sides in [Sides::One, Sides::Copies] {
                let at = (sides, asked.busy);
                cells.extend(of(court, criterion, (*item, &*operation), at)?);
            }
        }
    }
    Ok(cells)
}

/// The cells of an operation.
fn of(
    court: &Court<'_>,
    criterion: &mut Criterion,
    (item, operation): (&dyn Item, &dyn AnyOperation),
    (sides, busy): (Sides, bool),
) -> Result<Vec<Cell>> {
    let places = places(court, item, operation);
    let name = |what| format!("{} {what}", item.id());
    let mut measure = |group: &str, at| cell(court, criterion, group, (operation, at), sides);
    let zero = match (sides, places.last()) {
        (Sides::Copies, Some(at)) => measure(&name("copies"), *at)?,
        _ => None,
    };
    let zero = zero.and_then(|cell| cell.as_zero());
    if sides == Sides::Copies && zero.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for at in places {
        let Some(raw) = measure(&name("against itself"), at)? else {
            continue;
        };
        let (cell, rounds) = match zero {
            Some((typical, p95)) => (
                raw.taken_from(typical, p95, 0.0),
                raw.rounds.min(typical.rounds),
            ),
            None => (raw.clone(), raw.rounds),
        };
        // A zero of the typical call alone leaves the 95th percentile without one.
        let has_p95 = zero.is_none_or(|(_, p95)| p95.is_some());
        found.extend(cell.ratio.map(|ratio| Cell {
            sides,
            busy,
            ratio,
            rounds,
            p95: cell.p95_ratio.filter(|_| has_p95),
        }));
    }
    Ok(found)
}

fn cell(
    court: &Court<'_>,
    criterion: &mut Criterion,
    group: &str,
    (operation, at): (&dyn AnyOperation, At),
    sides: Sides,
) -> Result<Option<Latency>> {
    let roles = match sides {
        Sides::One => [Role::Baseline; 2],
        Sides::Copies => ROLES,
    };
    let step = format!("{} at {at}, {sides:?}", operation.name());
    court
        .watcher
        .step(group, &verdict_audit::VariantName::Baseline, &step);
    let place = Place {
        operation,
        at,
        judged: true,
    };
    court.against_itself(criterion, group, place, roles, &same)
}

/// Where an operation's cells are: nowhere where it is no call of its own, or where tables have to
/// be given back after each; of what is asked of parts of the world, only what reads and needs
/// nothing that today does not have, in the smallest.
pub(crate) fn places(court: &Court<'_>, item: &dyn Item, operation: &dyn AnyOperation) -> Vec<At> {
    let renewed = matches!(operation.leaves(), Leaves::Renew(_));
    if operation.aside() || renewed {
        return Vec::new();
    }
    let mut places = operation.rungs(court.session.world());
    places.retain(|at| at.is_rung() && at.n <= LARGEST);
    if operation.ladder() == Ladder::Events {
        let as_it_is = item.ground().is_none() && operation.leaves() == Leaves::Nothing;
        places.truncate(usize::from(as_it_is));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: f64, half: f64) -> Cell {
        Cell {
            sides: Sides::One,
            busy: false,
            ratio: Ratio {
                value,
                lo: value / (1.0 + half),
                hi: value * (1.0 + half),
            },
            rounds: 10,
            p95: None,
        }
    }

    #[test]
    fn an_interval_beside_one_misses_it_and_is_judged_only_where_there_are_few() {
        for value in [1.03, 1.0 / 1.03] {
            let barely = cell(value, 0.025);
            assert!(barely.misses_one() && barely.is_judged(1));
            assert!(!barely.is_judged(30));
            let surely = cell(value.powi(8), 0.025);
            assert!(surely.misses_one() && surely.is_judged(30));
        }
        assert!(!cell(1.02, 0.025).misses_one() && !cell(1.02, 0.025).is_judged(1));
        assert!(!cell(1.3, 0.8).is_judged(1));
    }
}
