//! The page's sections about load, every figure already in words.

use verdict_audit::evidence::{Capacity, Compared, FlowEvidence, FlowRatio, Ratio, Results};
use verdict_audit::{Catalogue, FlowId, Share, Verdict, load_rules};

use crate::charts;
use crate::plot::PlotError;
use crate::stage_page::{StageRow, stage_rows};
use crate::table::{expectation, load};
use crate::tone::Tone;
use crate::units;

pub(crate) struct FlowSection<'a> {
    pub(crate) id: FlowId,
    pub(crate) title: String,
    pub(crate) charts: Vec<String>,
    pub(crate) rows: Vec<FlowRow<'a>>,
    pub(crate) says: Vec<&'a str>,
    pub(crate) stages: Vec<StageRow>,
    pub(crate) ratios: Vec<RatioRow<'a>>,
    pub(crate) capacity: Vec<CapacityRow<'a>>,
    /// What the projections rest on, the same for both sides.
    pub(crate) assumptions: &'a [String],
}

pub(crate) struct FlowRow<'a> {
    pub(crate) row: &'a FlowEvidence,
    pub(crate) tone: Tone,
    pub(crate) alone: String,
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
            let mine: Vec<_> = results.flows.iter().filter(|row| row.id == id).collect();
            Ok(FlowSection {
                id,
                title: known.map_or_else(|| mixed(audit), |target| target.title.clone()),
                charts: charts.into_iter().flatten().collect(),
                stages: stage_rows(&mine),
                rows: mine.into_iter().map(flow_row).collect(),
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
                    .map(|capacity| {
                        capacity_row(capacity, &results.flows, known.map(|of| of.goal_ms))
                    })
                    .collect(),
            })
        })
        .collect()
}

/// What is asked for without a target of the audit, and why so often.
fn mixed(audit: &Catalogue) -> String {
    let share = |share: &Share| format!("{} % {} ({})", share.weight, share.of, share.reason);
    let shares: Vec<String> = audit.mix.iter().map(share).collect();
    format!(
        "All operations at once, which no target of the audit speaks of: {}",
        shares.join("; ")
    )
}

fn flow_row(row: &FlowEvidence) -> FlowRow<'_> {
    let share = 100.0 * row.errors as f64 / (row.requests.max(1)) as f64;
    FlowRow {
        row,
        tone: Tone::of(row.verdict),
        alone: match row.target_ms {
            None if row.verdict == Verdict::Inconclusive => "no target".to_owned(),
            _ => alone(row.verdict),
        },
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

/// What one loop comes to at one level: no verdict, which a target has in both loops together,
/// unless its answers are what is wrong.
fn alone(verdict: Verdict) -> String {
    match verdict {
        Verdict::Confirmed => "holds in this loop".to_owned(),
        Verdict::FallsShort => "does not hold in this loop".to_owned(),
        Verdict::Inconclusive => "open in this loop".to_owned(),
        Verdict::Wrong | Verdict::Fails => verdict.to_string(),
        of_today => format!("{of_today}, in this loop"),
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

/// The most at which the goal holds, and what ended it there: `levels` are those that were tried,
/// with the verdict on the goal.
fn ends(
    mut levels: Vec<(f64, Verdict)>,
    most: Option<f64>,
    name: impl Fn(f64) -> String,
) -> String {
    levels.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let found = most.map_or("none".to_owned(), &name);
    let next = levels
        .into_iter()
        .find(|(level, _)| most.is_none_or(|most| *level > most));
    match (next, most) {
        (None, None) => "not tried".to_owned(),
        (None, Some(_)) => format!("{found}, the most that was tried"),
        (Some((level, Verdict::Inconclusive)), _) => {
            format!("{found}; undecided at {}", name(level))
        }
        (Some((level, _)), _) => format!("{found}; broken at {}", name(level)),
    }
}

fn capacity_row<'a>(
    capacity: &'a Capacity,
    rows: &[FlowEvidence],
    goal_ms: Option<f64>,
) -> CapacityRow<'a> {
    let tried = |level: fn(&FlowEvidence) -> Option<f64>| {
        let mine = rows
            .iter()
            .filter(|row| row.id == capacity.id && row.side == capacity.side);
        let judged = mine.filter_map(|row| {
            let verdict = load_rules::goal(&row.load(), goal_ms?).verdict;
            Some((level(row)?, verdict))
        });
        judged.collect::<Vec<_>>()
    };
    let held = |ends| match goal_ms {
        Some(_) => ends,
        None => "no goal".to_owned(),
    };
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
        users: held(ends(
            tried(|row| row.users.map(f64::from)),
            capacity.max_users.map(f64::from),
            |users| users.to_string(),
        )),
        rate: held(ends(tried(|row| row.rate), capacity.max_rate, |rate| {
            format!("{}/s", units::count(rate))
        })),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_of_one_loop_has_no_verdicts_word_unless_its_answers_are_wrong() {
        use Verdict::{AsSaid, Confirmed, FallsShort, FasterThanSaid, Inconclusive, Wrong};
        assert_eq!(alone(Confirmed), "holds in this loop");
        assert_eq!(
            alone(FasterThanSaid),
            "faster than the audit says, in this loop"
        );
        for verdict in [Confirmed, FallsShort, Inconclusive, AsSaid, FasterThanSaid] {
            let said = alone(verdict);
            assert!(said != verdict.to_string() && said.ends_with("in this loop"));
        }
        assert_eq!(alone(Wrong), "wrong");
    }

    #[test]
    fn the_most_that_holds_is_said_with_what_ended_it() {
        use Verdict::{Confirmed, FallsShort, Inconclusive};
        let ends = |levels: &[(f64, Verdict)], most| {
            ends(levels.to_vec(), most, |level| level.to_string())
        };
        assert_eq!(ends(&[], None), "not tried");
        assert_eq!(ends(&[(1.0, FallsShort)], None), "none; broken at 1");
        let three = [(16.0, FallsShort), (1.0, Confirmed), (4.0, Confirmed)];
        assert_eq!(ends(&three, Some(4.0)), "4; broken at 16");
        assert_eq!(
            ends(&[(1.0, Confirmed), (4.0, Inconclusive)], Some(1.0)),
            "1; undecided at 4"
        );
        assert_eq!(
            ends(&[(1.0, Confirmed)], Some(1.0)),
            "1, the most that was tried"
        );
    }
}
