//! The zero that a ratio between two copies of a database is taken from: what today's call
//! differs by on them anyway.

use criterion::Criterion;
use verdict_audit::evidence::{Latency, Ratio};
use verdict_audit::{At, Finding, OperationName, Promise, Quantity};

use crate::court::{Case, Court};
use crate::error::Result;
use crate::session::{Copies, ROLES};
use crate::timing::{Place, judges, places, same};

/// How far apart two copies of a database may be where a run has seen none: up to 8 % was seen,
/// 3 % as a rule.
const UNKNOWN_SPREAD: f64 = 0.03;

/// How near the end of an interval has to be to a border for the zero to be measured there too,
/// as a factor.
const NEAR: f64 = 1.1;

impl Court<'_> {
    /// What today's call differs by between the two sides, before a variant's change makes them
    /// different by more: noted with the session, once per operation.
    pub(crate) fn find_zeros(&self, case: Case<'_>, criterion: &mut Criterion) -> Result<()> {
        for operation in case.item.operations() {
            let name: OperationName = operation.name().parse()?;
            let bounds = (self.session.world(), self.session.depth());
            let mut places = places(&*operation, &name, case.finding, bounds);
            places.retain(|at| at.is_rung());
            let judged = places
                .iter()
                .rfind(|place| judges(case.finding, &name, **place));
            let Some(at) = judged.or_else(|| places.first()).copied() else {
                continue;
            };
            let known = self.session.zero(&key(case, &name), at).is_some();
            if known || !operation.offered_by(case.variant) {
                continue;
            }
            self.find_zero(case, &name, at, criterion)?;
        }
        Ok(())
    }

    fn find_zero(
        &self,
        case: Case<'_>,
        name: &OperationName,
        at: At,
        criterion: &mut Criterion,
    ) -> Result<()> {
        let operations = case.item.operations();
        let Some(operation) = operations.iter().find(|of| of.name() == name.as_str()) else {
            return Ok(());
        };
        self.watcher
            .step(case.item.id(), case.variant, "two copies of today");
        let place = Place {
            operation: &**operation,
            at,
            judged: false,
        };
        let group = format!("{} copies", case.item.id());
        let found = self.against_itself(criterion, &group, place, ROLES, &same)?;
        if let Some(cell) = found
            && let Some((typical, p95)) = cell.as_zero()
        {
            let zero = Copies { at, typical, p95 };
            self.session.note_zero(key(case, name), zero);
        }
        Ok(())
    }

    /// Takes ratios from what the two copies of the database differ by anyway. Where a table was
    /// `rewritten` since, they differ by something else now, and by how much is known from how far
    /// apart copies were in this run.
    pub(crate) fn take_from_zeros(&self, case: Case<'_>, cells: &mut [Latency], rewritten: bool) {
        if case.change.is_none() {
            return;
        }
        let spread = self.session.spread().max(UNKNOWN_SPREAD);
        for cell in cells {
            match self.session.zero(&key(case, &cell.operation), cell.at) {
                Some(zero) if !rewritten => *cell = cell.taken_from(zero.typical, zero.p95, spread),
                _ => cell.floor = spread,
            }
        }
    }

    /// Where an interval ends near a border the zero is measured at that very place, now that the
    /// change is taken back and the copies are as they were; `raw` is what was timed there.
    pub(crate) fn zeros_near_borders(
        &self,
        case: Case<'_>,
        raw: &[Latency],
        cells: &mut [Latency],
        criterion: &mut Criterion,
    ) -> Result<()> {
        let spread = self.session.spread().max(UNKNOWN_SPREAD);
        for (raw, cell) in raw.iter().zip(cells) {
            let name = key(case, &cell.operation);
            // One that is gone was of copies that are gone.
            let Some(elsewhere) = self.session.zero(&name, cell.at) else {
                continue;
            };
            let elsewhere = cell.zero.is_some() && elsewhere.at != cell.at;
            if !elsewhere || !cell.at.is_rung() || !is_undecided(case.finding, cell) {
                continue;
            }
            self.find_zero(case, &cell.operation, cell.at, criterion)?;
            if let Some(here) = self.session.zero(&name, cell.at) {
                *cell = raw.taken_from(here.typical, here.p95, spread);
            }
        }
        Ok(())
    }
}

fn key(case: Case<'_>, operation: &OperationName) -> String {
    format!("{} {operation}", case.item.id())
}

/// Whether either ratio, of the typical call or of the 95th percentile, ends near a border.
fn is_undecided(finding: &Finding, cell: &Latency) -> bool {
    let ratios = [
        (Quantity::Time, cell.ratio),
        (Quantity::P95, cell.p95_ratio),
    ];
    ratios.into_iter().any(|(of, ratio)| {
        ratio.is_some_and(|ratio| borders(finding, cell, of).any(|border| is_near(ratio, border)))
    })
}

/// Where a verdict on a kind of time changes: at no effect, and at what is promised there.
fn borders<'a>(
    finding: &'a Finding,
    cell: &'a Latency,
    quantity: Quantity,
) -> impl Iterator<Item = f64> + use<'a> {
    let promised = finding.claims.iter().filter(move |claim| {
        let on_it = claim.operation.as_ref();
        on_it.is_none_or(|on| *on == cell.operation)
    });
    let promised = promised.filter_map(move |claim| match claim.promise {
        Promise::Ratio { of, lo, hi, at } if of == quantity && at == cell.at => Some([lo, hi]),
        _ => None,
    });
    std::iter::once(1.0).chain(promised.flatten())
}

fn is_near(ratio: Ratio, border: f64) -> bool {
    let ends = [ratio.lo, ratio.hi];
    ends.iter().any(|end| (end / border).ln().abs() < NEAR.ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use verdict_audit::evidence::{Percentiles, Zero};
    use verdict_audit::{Catalogue, Claim};

    fn ratio(value: f64, half: f64) -> Ratio {
        Ratio {
            value,
            lo: value / half,
            hi: value * half,
        }
    }

    fn raw() -> Latency {
        let percentiles = Percentiles {
            count: 500,
            p50: 300.0,
            p95: 500.0,
            p99: 900.0,
        };
        Latency {
            ratio: Some(ratio(2.1, 1.02)),
            p95_ratio: Some(ratio(1.8, 1.05)),
            rounds: 20,
            p95_rounds: 18,
            ..Latency::new("page".parse().unwrap(), At::rung(1_000), percentiles)
        }
    }

    #[test]
    fn both_ratios_are_taken_from_zeros_of_their_own() {
        let of = |ratio| Zero { ratio, rounds: 20 };
        let mut zero = Copies {
            at: At::rung(1_000),
            typical: of(ratio(1.05, 1.01)),
            p95: Some(of(ratio(0.9, 1.04))),
        };
        let cell = raw().taken_from(zero.typical, zero.p95, 0.03);
        assert!((cell.ratio.unwrap().value - 2.0).abs() < 1e-9);
        let tail = cell.p95_ratio.unwrap();
        assert!((tail.value - 2.0).abs() < 1e-9);
        assert!(tail.hi / tail.lo > 1.05 * 1.05, "its error is added");
        assert_eq!((cell.zero, cell.p95_zero), (Some(zero.typical), zero.p95));

        zero.p95 = None;
        let tail = raw()
            .taken_from(zero.typical, zero.p95, 0.03)
            .p95_ratio
            .unwrap();
        assert!((tail.value - 1.8).abs() < 1e-9 && tail.lo < 1.8 / 1.05);
    }

    #[test]
    fn a_place_is_undecided_where_only_the_tail_ends_near_a_border() {
        let mut finding = Catalogue::builtin().items[0].clone();
        finding.claims.clear();
        let mut cell = raw();
        assert!(!is_undecided(&finding, &cell));
        cell.p95_ratio = Some(ratio(1.1, 1.08));
        assert!(is_undecided(&finding, &cell), "near no effect");

        cell.p95_ratio = Some(ratio(3.1, 1.05));
        let promise = |of| Promise::Ratio {
            of,
            lo: 3.0,
            hi: 9.0,
            at: cell.at,
        };
        let claim = |promise| Claim {
            id: "tail".to_owned(),
            operation: None,
            variant: None,
            says: None,
            promise,
        };
        finding.claims = vec![claim(promise(Quantity::P95))];
        assert!(is_undecided(&finding, &cell), "near what is promised of it");
        finding.claims = vec![claim(promise(Quantity::Time))];
        assert!(!is_undecided(&finding, &cell), "promised of another");
    }

    #[test]
    fn an_interval_is_near_a_border_where_one_of_its_ends_is() {
        assert!(is_near(ratio(1.0, 1.02), 1.0));
        assert!(is_near(ratio(2.3, 1.1), 2.0));
        assert!(!is_near(ratio(3.0, 1.1), 2.0));
        assert!(!is_near(ratio(3.0, 1.1), f64::INFINITY));
    }
}
