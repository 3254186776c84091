//! What was timed of an operation, in words: a row for each variant and place.

use verdict_audit::evidence::{
    ItemEvidence, Latency, Percentiles, PlanMode, Ratio, VariantEvidence,
};
use verdict_audit::{At, VariantName, gain};

use crate::charts::Measured;
use crate::units;

/// A pair at one place.
pub(crate) struct Timing {
    pub n: String,
    pub variant: String,
    pub baseline: [String; 3],
    pub percentiles: [String; 3],
    /// The engines' own time, today's and the variant's.
    pub engine: [String; 2],
    pub ratio: String,
    pub p95_ratio: String,
    /// What verdicts on both rest on.
    pub judged: Option<String>,
    pub p95_judged: Option<String>,
    /// The smallest effect that would have been told from none.
    pub smallest: String,
    /// What the ratio is taken from, or is not known better than.
    pub zero: String,
    pub rounds: String,
    pub to_decide: String,
}

/// Where something was measured, as short as a column is.
pub(crate) fn place(at: At) -> String {
    let mut place = units::count(at.n as f64);
    if at.callers > 1 {
        place.push_str(&format!(", {} callers", at.callers));
    }
    if at.round_trip_us > 0 {
        place.push_str(&format!(", {} µs line", at.round_trip_us));
    }
    place
}

/// The cells of an operation with their variants, in the order of their places.
fn cells<'a>(
    item: &'a ItemEvidence,
    measured: &Measured,
) -> Vec<(&'a VariantEvidence, &'a Latency)> {
    if measured.plan_mode == PlanMode::Generic {
        return Vec::new();
    }
    let mut cells: Vec<_> = item
        .variants
        .iter()
        .flat_map(|variant| variant.latency.iter().map(move |cell| (variant, cell)))
        .filter(|(_, cell)| cell.operation == measured.operation)
        .collect();
    cells.sort_by_key(|(_, cell)| cell.at);
    cells
}

/// The rows of an operation.
pub(crate) fn timings(item: &ItemEvidence, measured: &Measured) -> Vec<Timing> {
    let cells = cells(item, measured).into_iter();
    cells.map(|(variant, cell)| timing(variant, cell)).collect()
}

/// What the gains of an operation are made of, where that is known.
pub(crate) fn gains(item: &ItemEvidence, measured: &Measured) -> Vec<String> {
    let today = |variant: &&VariantEvidence| variant.name == VariantName::Baseline;
    let Some(baseline) = item.variants.iter().find(today) else {
        return Vec::new();
    };
    cells(item, measured)
        .into_iter()
        .filter(|(variant, _)| variant.stands())
        .filter_map(|(variant, cell)| {
            let gain = gain(cell, baseline, variant)?;
            Some(format!("{} at {}: {gain}", variant.name, cell.at))
        })
        .collect()
}

fn timing(variant: &VariantEvidence, cell: &Latency) -> Timing {
    let missing = || "–".to_owned();
    let three = |p: &Percentiles| [p.p50, p.p95, p.p99].map(units::duration);
    let stands = variant.stands();
    Timing {
        n: match cell.measured_round_trip_us {
            Some(measured) if cell.at.round_trip_us > 0 => {
                format!("{}, measured {}", place(cell.at), units::duration(measured))
            }
            _ => place(cell.at),
        },
        variant: variant.name.to_string(),
        baseline: cell
            .baseline
            .as_ref()
            .map_or_else(|| std::array::from_fn(|_| missing()), three),
        percentiles: three(&cell.variant),
        engine: [
            cell.engine.and_then(|engine| engine.baseline_us),
            cell.engine.map(|engine| engine.variant_us),
        ]
        .map(|time| time.map_or_else(missing, units::duration)),
        ratio: match &cell.ratio {
            Some(_) if !stands => "no gain: answers differ".to_owned(),
            Some(ratio) => ratio.to_string(),
            None if cell.baseline.is_some() => "too few rounds for one".to_owned(),
            None => "nothing to compare with".to_owned(),
        },
        p95_ratio: match &cell.p95_ratio {
            Some(ratio) if stands => ratio.to_string(),
            _ => missing(),
        },
        judged: cell.judged.filter(|_| stands).map(interval),
        p95_judged: cell.p95_judged.filter(|_| stands).map(interval),
        smallest: cell.smallest_effect.map_or_else(missing, share),
        zero: match &cell.zero {
            Some(zero) => zero.ratio.to_string(),
            None if cell.floor > 0.0 => format!("within {}", share(cell.floor)),
            None => "one database".to_owned(),
        },
        rounds: format!("{} in {}", cell.rounds, units::duration(cell.seconds * 1e6)),
        to_decide: cell.to_decide.map_or_else(missing, |longer| {
            format!(
                "{} in {}",
                longer.rounds,
                units::duration(longer.seconds * 1e6)
            )
        }),
    }
}

/// The interval that a verdict rests on, as a ratio is shown.
fn interval(judged: Ratio) -> String {
    format!("judged by {judged}")
}

fn share(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
