//! Two sides under load, compared: what a level's windows come to, and how far that can be told
//! from noise.

use crate::estimate::Ratio;
use crate::evidence::Percentiles;
use crate::flow_evidence::{Compared, FlowEvidence, FlowRatio};
use crate::load_rules;
use crate::ratio::{Block, RatioError, ratio_of};

/// Pairs of windows below which no ratio is given; the fewer there are, the wider it is.
pub const MIN_WINDOWS: usize = 3;

/// Compares two sides at one level by the percentiles of their windows, in the order in which they
/// were measured: windows of the same place are a pair.
pub fn compare(
    of: Compared,
    row: &FlowEvidence,
    baseline: &[Percentiles],
    other: &[Percentiles],
) -> FlowRatio {
    let over_pairs = |figure: fn(&Percentiles) -> f64| {
        let pairs: Vec<Vec<Block>> = baseline
            .iter()
            .zip(other)
            .map(|(baseline, other)| {
                vec![Block {
                    baseline_ns: figure(baseline) * 1000.0,
                    variant_ns: figure(other) * 1000.0,
                }]
            })
            .collect();
        ratio_of(&pairs, MIN_WINDOWS)
    };
    let (p50, p95) = (over_pairs(|p| p.p50), over_pairs(|p| p.p95));
    let says = match (&p50, &p95) {
        (Ok(_), Ok(_)) => String::new(),
        (Err(error), _) | (_, Err(error)) => match error {
            RatioError::TooFewRounds { .. } => {
                format!("no ratio: it takes {MIN_WINDOWS} windows of each side or more")
            }
            RatioError::EmptyRound { round } => {
                format!("no ratio: window {} has no request", round + 1)
            }
        },
    };
    FlowRatio {
        id: row.id,
        users: row.users,
        rate: row.rate,
        of,
        windows: baseline.len().min(other.len()),
        p50: p50.ok(),
        p95: p95.ok(),
        p50_judged: None,
        p95_judged: None,
        says,
    }
}

/// How many words are given to ratios: of each of the sides one on the typical call, one on p95.
pub(crate) fn said(ratios: &[FlowRatio]) -> usize {
    let of_sides = ratios.iter().filter(|ratio| ratio.of == Compared::Sides);
    2 * of_sides.filter(|ratio| ratio.p95.is_some()).count()
}

/// Says of each ratio what it comes to, beside what the same run's one side differs by from itself
/// in the same loop: that of the same flow where there is one, else the largest; where the loop
/// has none, that of the other.
/// In a run that judges so many figures.
pub(crate) fn judge_ratios(ratios: &mut [FlowRatio], cells: usize) {
    let itself: Vec<FlowRatio> = ratios
        .iter()
        .filter(|ratio| ratio.of == Compared::Itself)
        .cloned()
        .collect();
    let noise = |of: &FlowRatio, figure: fn(&FlowRatio) -> Option<Ratio>| {
        let apart = |ratio: Ratio| ratio.value.max(1.0 / ratio.value) - 1.0;
        let largest = |alike: &dyn Fn(&FlowRatio) -> bool| {
            let alike = itself.iter().filter(|one| alike(one));
            alike.filter_map(figure).map(apart).reduce(f64::max)
        };
        let same_loop = |one: &FlowRatio| one.users.is_some() == of.users.is_some();
        largest(&|one| one.id == of.id && same_loop(one))
            .or_else(|| largest(&same_loop))
            .or_else(|| largest(&|_| true))
            .unwrap_or(0.0)
    };
    for ratio in ratios {
        let windows = ratio.windows;
        let (Some(p50), Some(p95)) = (ratio.p50, ratio.p95) else {
            continue;
        };
        ratio.says = match ratio.of {
            Compared::Itself => {
                let word = if p50.holds(1.0) && p95.holds(1.0) {
                    "as it should be, no difference is shown"
                } else {
                    "a difference where there is none"
                };
                format!(
                    "{word}: {:.0} % of a typical call and {:.0} % of p95 are noise",
                    100.0 * noise(ratio, |one| one.p50),
                    100.0 * noise(ratio, |one| one.p95)
                )
            }
            Compared::Sides => {
                let sure = [
                    p50.judged(cells, windows, noise(ratio, |one| one.p50)),
                    p95.judged(cells, windows, noise(ratio, |one| one.p95)),
                ];
                ratio.p50_judged = Some(sure[0]);
                ratio.p95_judged = Some(sure[1]);
                let [typical, tail] = [standing(p50, sure[0]), standing(p95, sure[1])];
                if typical == tail {
                    typical
                } else {
                    format!("typical call {typical}, p95 {tail}")
                }
            }
        };
    }
}

/// What a ratio comes to, and what that rests on where the ratio by itself would say more.
fn standing(shown: Ratio, sure: Ratio) -> String {
    let word = load_rules::standing(sure);
    match load_rules::standing(shown) == word {
        true => word.to_owned(),
        false => format!("{word}: {sure} with all figures of the run and its noise"),
    }
}
