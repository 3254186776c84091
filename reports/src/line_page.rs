//! What a slower line does to a pair: measured, and foretold from the turns on the wire.

use verdict_audit::evidence::{ItemEvidence, VariantEvidence};
use verdict_audit::line::{Direct, on_lines};
use verdict_audit::{Catalogue, Promise, Quantity};

use crate::charts::{Measured, inks};
use crate::plot::{Line, Plot, PlotError, Point, Series, Style};
use crate::units;

/// Points of a curve.
const STEPS: i32 = 60;

/// A pair along its lines.
struct Lines<'a> {
    variant: &'a VariantEvidence,
    /// Without a line first.
    points: Vec<Point>,
    direct: Direct,
}

/// The variants of an operation that were timed on lines, whose answers stand.
fn lines<'a>(
    item: &'a ItemEvidence,
    variant: &'a VariantEvidence,
    measured: &'a Measured,
) -> Option<Lines<'a>> {
    let n = on_lines(variant, &measured.operation).next()?.at.n;
    let direct = Direct::of(item, variant, &measured.operation, n)?;
    let cells = variant.latency.iter();
    let points = cells
        .filter(|cell| cell.operation == measured.operation)
        .filter(|cell| cell.at.n == n && cell.at.callers == 1)
        .filter_map(|cell| {
            let ratio = cell.ratio?;
            Some(Point {
                x: cell.measured_round_trip_us?,
                y: ratio.value,
                range: Some((ratio.lo, ratio.hi)),
            })
        });
    let mut points: Vec<Point> = points.collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    variant.stands().then_some(Lines {
        variant,
        points,
        direct,
    })
}

/// The least that is promised of an operation's time.
fn promised(item: &ItemEvidence, measured: &Measured) -> Option<f64> {
    let mut findings = Catalogue::builtin().items.iter();
    let finding = findings.find(|finding| finding.id == item.id)?;
    let mut claims = finding.claims.iter();
    claims.find_map(|claim| match claim.promise {
        Promise::Ratio {
            of: Quantity::Time,
            lo,
            ..
        } if claim
            .operation
            .as_ref()
            .is_none_or(|of| *of == measured.operation) =>
        {
            Some(lo)
        }
        _ => None,
    })
}

/// Times faster than today over the round trip: measured with its interval, and the curve that
/// the turns foretell; none where no line was tried.
pub(crate) fn chart(item: &ItemEvidence, measured: &Measured) -> Result<Option<String>, PlotError> {
    let mut series = Vec::new();
    for (variant, ink) in inks(item) {
        let Some(lines) = lines(item, variant, measured) else {
            continue;
        };
        let [Some(first), Some(last)] = [lines.points.first(), lines.points.last()] else {
            continue;
        };
        let (least, most) = (first.x, last.x);
        let curve = (0..=STEPS).map(|step| {
            let x = least * (most / least).powf(f64::from(step) / f64::from(STEPS));
            Point {
                x,
                y: lines.direct.foretold(x),
                range: None,
            }
        });
        series.push(Series {
            label: String::new(),
            ink,
            style: Style::Curve,
            points: curve.collect(),
        });
        series.push(Series {
            label: variant.name.to_string(),
            ink,
            style: Style::Dots,
            points: lines.points,
        });
    }
    if series.is_empty() {
        return Ok(None);
    }
    let promised = promised(item, measured).map(|lo| Line {
        label: format!("promised {}x", units::count(lo)),
        y: lo,
    });
    Plot {
        title: format!(
            "Times faster over the round trip, and as foretold: {}",
            measured.title()
        ),
        x_name: "round trip (µs)".to_owned(),
        y_name: "baseline ÷ variant".to_owned(),
        show_y: |factor| format!("{}x", units::count(factor)),
        series,
        lines: promised.into_iter().collect(),
    }
    .svg()
}

/// Where each variant crosses what is promised, by the turns on the wire.
pub(crate) fn crossings(item: &ItemEvidence, measured: &Measured) -> Vec<String> {
    let Some(promised) = promised(item, measured) else {
        return Vec::new();
    };
    let variants = item.variants.iter();
    variants
        .filter_map(|variant| lines(item, variant, measured))
        .map(|Lines { variant, direct, .. }| {
            let here = direct.foretold(direct.round_trip());
            let factor = units::count(promised);
            let crossing = match (direct.crosses(promised), here >= promised) {
                (Some(at), enough) => {
                    let comes = if enough { "falls" } else { "rises" };
                    let at = units::duration(at);
                    format!("{comes} to the promised {factor}x where one takes {at}")
                }
                (None, true) => format!("stays above the promised {factor}x"),
                (None, false) => format!("never rises to the promised {factor}x"),
            };
            format!(
                "{}: {here:.2}x where a round trip takes {}, and by its turns on the wire it {crossing}",
                variant.name,
                units::duration(direct.round_trip()),
            )
        })
        .collect()
}
