//! The verdicts as a table for the terminal.

use verdict_audit::evidence::{
    ClaimEvidence, Compared, FlowRatio, Results, SelfCheck, TargetEvidence,
};
use verdict_audit::ratio::{CALLS_FOR_A_TAIL, MIN_ROUNDS};
use verdict_audit::{Catalogue, FlowId, Side, Verdict};

use crate::tone::Tone;
use crate::units;

/// Longest text of a column; the report has the whole of it.
const WIDEST: usize = 64;

struct Row {
    cells: [String; 5],
    verdict: Verdict,
}

/// One line per claim and per judged flow, the self-check first; coloured with ANSI codes when
/// `colour` is set. Ends with a newline.
pub fn render(results: &Results, colour: bool) -> String {
    let mut text = String::new();
    if let Some(check) = &results.run.aa {
        let words = format!(
            "baseline against itself: {}, {}",
            check.ratio, check.verdict
        );
        if check.verdict == Verdict::NoEffect {
            text.push_str(&words);
        } else {
            let warning = format!(
                "{words}: on this operation {} may be noise; each ratio has what it could tell",
                noise(check)
            );
            text.push_str(&paint(&warning, Tone::Less, colour));
        }
        text.push('\n');
    }
    for warning in &results.run.warnings {
        text.push_str(&paint(&format!("warning: {warning}"), Tone::Less, colour));
        text.push('\n');
    }

    let rows = rows(results);
    if rows.is_empty() {
        text.push_str("no claim was judged\n");
        return text;
    }
    let heads = ["item", "variant", "claim", "measured", "verdict"].map(str::to_owned);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        std::iter::once(&heads)
            .chain(rows.iter().map(|row| &row.cells))
            .map(|cells| cells[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let line = |cells: &[String; 5]| {
        cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect::<Vec<_>>()
    };
    text.push_str(line(&heads).join("  ").trim_end());
    text.push('\n');
    text.push_str(&widths.map(|width| "─".repeat(width)).join("  "));
    text.push('\n');
    for row in rows {
        let mut cells = line(&row.cells);
        cells[4] = paint(cells[4].trim_end(), Tone::of(row.verdict), colour);
        text.push_str(&cells.join("  "));
        text.push('\n');
    }
    if let Some(words) = without_tails(results) {
        text.push_str(&format!("\n{words}\n"));
    }
    for words in undecided(results) {
        text.push_str(&format!("\n{words}\n"));
    }
    for flow in under_load(results) {
        text.push_str(&format!("\n{}\n", flow.says));
        for ratio in flow.ratios {
            text.push_str(&format!("  {ratio}\n"));
        }
    }
    text
}

/// At how many places no ratio of p95 is given, and why; none where there is one at each.
pub(crate) fn without_tails(results: &Results) -> Option<String> {
    let variants = results.items.iter().flat_map(|item| &item.variants);
    let cells = variants.flat_map(|variant| &variant.latency);
    let compared: Vec<_> = cells.filter(|cell| cell.ratio.is_some()).collect();
    let without = compared.iter().filter(|cell| cell.p95_ratio.is_none());
    let without = without.count();
    (without > 0).then(|| {
        format!(
            "no ratio of p95 at {without} of {} places that were timed: it takes {MIN_ROUNDS} percentiles of \
             {CALLS_FOR_A_TAIL} calls or more of each side, and there was no time for as many calls; \
             `cargo bench` has four times as much of it as `--quick`",
            compared.len()
        )
    })
}

/// Why each claim is open that is, and what would decide it.
fn undecided(results: &Results) -> impl Iterator<Item = String> + use<'_> {
    let variants = results.items.iter().flat_map(|item| {
        let variants = item.variants.iter();
        variants.map(move |variant| (item, variant))
    });
    variants.flat_map(|(item, variant)| {
        let open = |claim: &&ClaimEvidence| claim.verdict == Verdict::Inconclusive;
        variant.claims.iter().filter(open).map(move |claim| {
            let (id, name) = (&item.id, &variant.name);
            format!("undecided: {id}, {name}, {}: {}", claim.id, claim.reason)
        })
    })
}

/// The largest effect of the baseline against itself that may be noise.
pub(crate) fn noise(check: &SelfCheck) -> String {
    let largest = check.ratio.hi.max(1.0 / check.ratio.lo) - 1.0;
    format!("an effect of up to {:.1} %", 100.0 * largest)
}

/// What decides of one flow.
pub(crate) struct UnderLoad {
    /// How both sides stand to the goal.
    pub(crate) says: String,
    /// How they stand to each other where the targets are judged.
    pub(crate) ratios: Vec<String>,
}

/// What decides, flow by flow.
pub(crate) fn under_load(results: &Results) -> Vec<UnderLoad> {
    let of_targets = results.targets.iter().map(|target| target.id);
    let mut flows: Vec<FlowId> = of_targets.collect();
    flows.dedup();
    for row in &results.flows {
        if !flows.contains(&row.id) {
            flows.push(row.id);
        }
    }
    flows
        .into_iter()
        .map(|id| {
            let mine = || results.targets.iter().filter(move |target| target.id == id);
            let mut words: Vec<&str> = mine().map(|target| target.says.as_str()).collect();
            let has_target = !words.is_empty();
            if !has_target {
                words.push("the audit has no target for it");
            }
            let judged = |ratio: &&FlowRatio| {
                let level = (ratio.users, ratio.rate);
                let here = match (has_target, level) {
                    (false, (Some(users), _)) => users == Catalogue::builtin().judged_users,
                    (false, (None, rate)) => rate.is_some(),
                    (true, (Some(users), _)) => mine().any(|target| target.users == Some(users)),
                    (true, (None, rate)) => {
                        rate.is_some() && mine().any(|target| target.rate == rate)
                    }
                };
                ratio.id == id && here
            };
            UnderLoad {
                says: format!("flow {id}: {}", words.join("; ")),
                ratios: results
                    .flow_ratios
                    .iter()
                    .filter(judged)
                    .map(ratio)
                    .collect(),
            }
        })
        .collect()
}

/// A ratio under load in words.
fn ratio(ratio: &FlowRatio) -> String {
    let at = load(ratio.users, ratio.rate).unwrap_or_default();
    let of = match ratio.of {
        Compared::Sides => "today ÷ optimized",
        Compared::Itself => "today ÷ today",
    };
    match (ratio.p50, ratio.p95) {
        (Some(p50), Some(p95)) => {
            format!(
                "{of} at {at}: typical call {p50}, p95 {p95}, {}",
                ratio.says
            )
        }
        _ => format!("{of} at {at}: {}", ratio.says),
    }
}

fn rows(results: &Results) -> Vec<Row> {
    let items = results.items.iter().flat_map(|item| {
        item.variants.iter().flat_map(move |variant| {
            variant.claims.iter().map(move |claim| Row {
                cells: [
                    format!("{} {}", item.number, item.id),
                    variant.name.to_string(),
                    claim.expected.clone(),
                    claim.measured.clone(),
                    claim.verdict.to_string(),
                ]
                .map(short),
                verdict: claim.verdict,
            })
        })
    });
    let flows = results.targets.iter().map(|target| Row {
        cells: [
            format!("flow {}", target.id),
            target.side.to_string(),
            expectation(target.side, Some(target.target_ms)),
            measured(target),
            target.verdict.to_string(),
        ]
        .map(short),
        verdict: target.verdict,
    });
    items.chain(flows).collect()
}

/// The p95 that a target is judged by, and where, in words.
pub(crate) fn measured(target: &TargetEvidence) -> String {
    let p95 = target.p95.map_or("not measured".to_owned(), |p95| {
        units::estimate(&p95, units::duration)
    });
    let loads = [load(target.users, None), load(None, target.rate)];
    let loads: Vec<String> = loads.into_iter().flatten().collect();
    if loads.is_empty() {
        p95
    } else {
        format!("{p95} at {}", loads.join(" and "))
    }
}

/// How much load, in words.
pub(crate) fn load(users: Option<u32>, rate: Option<f64>) -> Option<String> {
    match (users, rate) {
        (Some(1), _) => Some("1 user".to_owned()),
        (Some(users), _) => Some(format!("{users} users")),
        (None, Some(rate)) => Some(format!("{}/s", units::count(rate))),
        (None, None) => None,
    }
}

/// What a side of a flow is held to, in words.
pub(crate) fn expectation(side: Side, target_ms: Option<f64>) -> String {
    let Some(target_ms) = target_ms else {
        return "no target".to_owned();
    };
    let target = units::duration(target_ms * 1000.0);
    match side {
        Side::Baseline => format!("today p95 ~{target}"),
        Side::Optimized => format!("p95 < {target}"),
    }
}

/// Of a file that was changed a cell may be longer than a column can be.
fn short(text: String) -> String {
    if text.chars().count() <= WIDEST {
        return text;
    }
    let kept: String = text.chars().take(WIDEST - 1).collect();
    format!("{}…", kept.trim_end())
}

fn paint(text: &str, tone: Tone, colour: bool) -> String {
    if colour {
        format!("\u{1b}[{}m{text}\u{1b}[0m", tone.ansi())
    } else {
        text.to_owned()
    }
}
