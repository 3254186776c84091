//! The page's sections about load, every figure already in words.

use verdict_audit::evidence::{Capacity, Compared, FlowEvidence, FlowRatio, Ratio, Results};
use verdict_audit::{Catalogue, FlowId};

use crate::charts;
use crate::plot::PlotError;
use crate::table::{expectation, load};
use crate::tone::Tone;
use crate::units;

pub(crate) struct FlowSection<'a> {
    pub(crate) id: FlowId,
    pub(crate) title: &'static str,
    pub(crate) charts: Vec<String>,
    pub(crate) rows: Vec<FlowRow<'a>>,
    pub(crate) says: Vec<&'a str>,
    pub(crate) ratios: Vec<RatioRow<'a>>,
    pub(crate) capacity: Vec<CapacityRow<'a>>,
    /// What the projections rest on, the same for both sides.
    pub(crate) assumptions: &'a [String],
}

pub(crate) struct FlowRow<'a> {
    pub(crate) row: &'a FlowEvidence,
    pub(crate) tone: Tone,
    pub(crate) load: String,
    pub(crate) expected: String,
    pub(crate) throughput: String,
    pub(crate) percentiles: [Spread; 3],
    /// How long the next answer to anybody took at any instant.
    pub(crate) standing: Option<String>,
    pub(crate) lag: Option<String>,
    pub(crate) share: Option<String>,
    pub(crate) errors: String,
}

/// Two sides at one level.
pub(crate) struct RatioRow<'a> {
    pub(crate) of: &'static str,
    pub(crate) load: String,
    pub(crate) windows: usize,
    pub(crate) p50: String,
    pub(crate) p95: String,
    pub(crate) says: &'a str,
}

/// A figure and, apart from it, its interval.
pub(crate) struct Spread {
    pub(crate) value: String,
    pub(crate) interval: String,
}

pub(crate) struct CapacityRow<'a> {
    pub(crate) capacity: &'a Capacity,
    pub(crate) users: String,
    pub(crate) rate: String,
    pub(crate) fit: String,
    pub(crate) peak: String,
    pub(crate) demand: Option<String>,
}

pub(crate) fn flow_sections<'a>(
    results: &'a Results,
    audit: &'static Catalogue,
) -> Result<Vec<FlowSection<'a>>, PlotError> {
    let mut ids: Vec<FlowId> = Vec::new();
    for row in &results.flows {
        if !ids.contains(&row.id) {
            ids.push(row.id);
        }
    }
    ids.into_iter()
        .map(|id| {
            let charts = [
                charts::p95(&results.flows, id)?,
                charts::throughput(&results.flows, &results.capacity, id)?,
            ];
            let known = audit.target(id);
            Ok(FlowSection {
                id,
                title: known.map_or("not in this audit", |target| &target.title),
                charts: charts.into_iter().flatten().collect(),
                rows: results
                    .flows
                    .iter()
                    .filter(|row| row.id == id)
                    .map(flow_row)
                    .collect(),
                says: results
                    .targets
                    .iter()
                    .filter(|target| target.id == id)
                    .map(|target| target.says.as_str())
                    .collect(),
                ratios: results
                    .flow_ratios
                    .iter()
                    .filter(|ratio| ratio.id == id)
                    .map(ratio_row)
                    .collect(),
                assumptions: results
                    .capacity
                    .iter()
                    .filter(|capacity| capacity.id == id)
                    .find_map(|capacity| capacity.projection.as_ref())
                    .map_or(&[], |projection| &projection.assumptions),
                capacity: results
                    .capacity
                    .iter()
                    .filter(|capacity| capacity.id == id)
                    .map(capacity_row)
                    .collect(),
            })
        })
        .collect()
}

fn flow_row(row: &FlowEvidence) -> FlowRow<'_> {
    let share = 100.0 * row.errors as f64 / (row.requests.max(1)) as f64;
    FlowRow {
        row,
        tone: Tone::of(row.verdict),
        load: load(row.users, row.rate).unwrap_or("unknown load".to_owned()),
        expected: expectation(row.side, row.target_ms),
        throughput: format!("{}/s", units::count(row.throughput)),
        percentiles: [&row.p50, &row.p95, &row.p99].map(|estimate| Spread {
            value: units::duration(estimate.value),
            interval: units::interval(estimate, units::duration),
        }),
        standing: row
            .standing_p95
            .as_ref()
            .map(|standing| units::estimate(standing, units::duration)),
        lag: row.generator_lag_p99.map(units::duration),
        share: row
            .generator_share
            .map(|share| format!("{:.0} %", 100.0 * share)),
        errors: format!("{} ({}%)", row.errors, units::figure(share)),
    }
}

fn ratio_row(ratio: &FlowRatio) -> RatioRow<'_> {
    let shown = |ratio: Option<Ratio>| ratio.map_or("–".to_owned(), |ratio| ratio.to_string());
    RatioRow {
        of: match ratio.of {
            Compared::Sides => "today ÷ optimized",
            Compared::Itself => "today ÷ today",
        },
        load: load(ratio.users, ratio.rate).unwrap_or("unknown load".to_owned()),
        windows: ratio.windows,
        p50: shown(ratio.p50),
        p95: shown(ratio.p95),
        says: &ratio.says,
    }
}

fn capacity_row(capacity: &Capacity) -> CapacityRow<'_> {
    let fit = capacity.usl.as_ref().map(|usl| {
        format!(
            "λ {}/s, σ {}, κ {}",
            units::estimate(&usl.lambda, units::count),
            units::estimate(&usl.sigma, units::figure),
            units::estimate(&usl.kappa, units::figure)
        )
    });
    CapacityRow {
        capacity,
        users: capacity
            .max_users
            .map_or("none".to_owned(), |users| users.to_string()),
        rate: capacity.max_rate.map_or("none".to_owned(), |rate| {
            format!("{}/s", units::count(rate))
        }),
        fit: fit.unwrap_or_else(|| "too few levels to fit".to_owned()),
        peak: capacity.usl.as_ref().map_or("–".to_owned(), |usl| {
            format!("{} per second", units::estimate(&usl.peak, units::count))
        }),
        demand: capacity.projection.as_ref().map(|projection| {
            format!(
                "{} requests/s would need {} machines like this one",
                units::count(projection.demand),
                units::estimate(&projection.machines, units::count)
            )
        }),
    }
}
