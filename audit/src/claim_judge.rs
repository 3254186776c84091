//! The rules applied to one claim, with expectation, measurement and reason in words.

use crate::at::At;
use crate::catalogue::Finding;
use crate::counter::{Counter, Quantity};
use crate::evidence::{Answers, ClaimEvidence, Growth, PlanMode, VariantEvidence, Work};
use crate::names::OperationName;
use crate::promise::{Claim, Order, Promise};
use crate::rules::{self, Interval, Judgement};
use crate::timed::{self, Promised};
use crate::verdict::Verdict;

/// What one claim came to before it is put beside the expectation.
struct Found {
    measured: String,
    judgement: Judgement,
    /// Beside it, what is open.
    undecided: Option<String>,
}

impl Found {
    fn new(measured: impl Into<String>, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            measured: measured.into(),
            judgement: Judgement::new(verdict, reason),
            undecided: None,
        }
    }
}

/// Judges a claim for a variant, in a run that judges so many figures.
pub(crate) fn judge_claim(
    finding: &Finding,
    claim: &Claim,
    baseline: Option<&VariantEvidence>,
    variant: &VariantEvidence,
    cells: usize,
) -> ClaimEvidence {
    let found = match claim.promise {
        Promise::Runs => runs(operations(finding, claim), variant),
        Promise::Additive => additive(variant),
        promise => disqualified(baseline, variant).unwrap_or_else(|| {
            worst(
                operations(finding, claim),
                |operation| judge_operation(promise, operation, baseline, variant, cells),
                |missing| not_measured(promise, missing, baseline),
            )
        }),
    };
    ClaimEvidence {
        id: claim.id.clone(),
        expected: claim.promise.to_string(),
        measured: found.measured,
        verdict: found.judgement.verdict,
        reason: found.judgement.reason,
        undecided: found.undecided,
    }
}

/// The operations that a claim is about.
fn operations<'a>(finding: &'a Finding, claim: &'a Claim) -> &'a [OperationName] {
    match &claim.operation {
        Some(operation) => std::slice::from_ref(operation),
        None => &finding.operations,
    }
}

fn runs(operations: &[OperationName], variant: &VariantEvidence) -> Found {
    if let Some(failure) = &variant.failure {
        return Found::new("does not run", Verdict::Fails, failure);
    }
    if let Some(answers) = variant.answers.as_ref().filter(|a| a.differing > 0) {
        return Found::new(
            format!(
                "runs, and {} of {} answers are wrong",
                answers.differing, answers.checked
            ),
            Verdict::Wrong,
            first_difference(answers),
        );
    }
    let missing: Vec<&str> = operations
        .iter()
        .filter(|operation| !variant.operations.contains(operation))
        .map(OperationName::as_str)
        .collect();
    if missing.is_empty() {
        Found::new("runs", Verdict::Confirmed, "every operation was answered")
    } else {
        Found::new(
            format!("{} not called", missing.join(" and ")),
            Verdict::Inconclusive,
            format!(
                "{} was promised and not called: the variant does not offer it",
                missing.join(" and ")
            ),
        )
    }
}

fn additive(variant: &VariantEvidence) -> Found {
    match &variant.additive {
        Some(answers) if answers.differing > 0 => Found::new(
            format!(
                "{} of {} of today's answers are wrong on its schema",
                answers.differing, answers.checked
            ),
            Verdict::Wrong,
            first_difference(answers),
        ),
        Some(answers) if answers.checked > 0 => Found::new(
            format!(
                "all {} of today's answers are right on its schema",
                answers.checked
            ),
            Verdict::Confirmed,
            "today's operations still run and agree, as they must while a deploy rolls",
        ),
        _ => Found::new(
            "not tried",
            Verdict::Inconclusive,
            "today's operations were not tried on its schema",
        ),
    }
}

fn first_difference(answers: &Answers) -> &str {
    answers
        .first_difference
        .as_deref()
        .unwrap_or("answers are wrong")
}

/// What stands before any figure: a variant that fails, or answers wrongly, gains nothing.
fn disqualified(baseline: Option<&VariantEvidence>, variant: &VariantEvidence) -> Option<Found> {
    if let Some(failure) = &variant.failure {
        return Some(Found::new("does not run", Verdict::Fails, failure));
    }
    let wrong = |answers: &Answers| {
        let verdict = rules::wrong_answers(answers)?.verdict;
        let measured = format!(
            "{} of {} answers differ",
            answers.differing, answers.checked
        );
        Some(Found::new(measured, verdict, first_difference(answers)))
    };
    if let Some(found) = variant.answers.as_ref().and_then(wrong) {
        return Some(found);
    }
    match &variant.answers {
        Some(answers) if answers.checked > 0 => {
            baseline.and_then(|b| b.failure.as_ref()).map(|failure| {
                let reason = format!("today's own code does not run: {failure}");
                Found::new("no comparison", Verdict::Inconclusive, reason)
            })
        }
        _ => Some(Found::new(
            "nothing compared",
            Verdict::Inconclusive,
            "its answers were not compared, and a fast wrong answer is no gain: let the item's check run first",
        )),
    }
}

/// A promise made of several operations is as good as the worst of them; one that was promised
/// and not measured is named, whatever the others come to.
fn worst(
    operations: &[OperationName],
    judge: impl Fn(&OperationName) -> Option<Found>,
    not_measured: impl Fn(&[&OperationName]) -> String,
) -> Found {
    let mut missing = Vec::new();
    let mut judged = Vec::new();
    for operation in operations {
        match judge(operation) {
            Some(found) => judged.push((operation, found)),
            None => missing.push(operation),
        }
    }
    let not_measured = not_measured(&missing);
    judged.sort_by_key(|(_, found)| badness(found.judgement.verdict));
    let measured: Vec<String> = judged
        .iter()
        .map(|(operation, found)| match operations {
            [_] => found.measured.clone(),
            _ => format!("{operation}: {}", found.measured),
        })
        .collect();
    let measured = measured.join("; ");
    if judged.is_empty() {
        return Found::new("not measured", Verdict::Inconclusive, not_measured);
    }
    let several = operations.len() > 1;
    let (operation, found) = judged.remove(0);
    let open = |found: &Found| found.judgement.verdict == Verdict::Inconclusive;
    let mut undecided = judged
        .iter()
        .filter(|(_, other)| open(other) && !open(&found));
    let undecided = undecided
        .next()
        .map(|(operation, other)| format!("{operation}: {}", other.measured));
    let mut judgement = found.judgement;
    if several {
        judgement.reason = format!("{operation}: {}", judgement.reason);
    }
    if !missing.is_empty() {
        if badness(judgement.verdict) > badness(Verdict::Inconclusive) {
            judgement.verdict = Verdict::Inconclusive;
            judgement.reason = not_measured;
        } else {
            judgement.reason = format!("{}; {not_measured}", judgement.reason);
        }
    }
    Found {
        measured,
        judgement,
        undecided,
    }
}

/// Why operations of a promise were not measured where it is judged.
fn not_measured(
    promise: Promise,
    missing: &[&OperationName],
    baseline: Option<&VariantEvidence>,
) -> String {
    let names: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
    let names = names.join(" and ");
    let reached = |at: At| {
        baseline.is_none_or(|today| {
            let work = today.work.iter();
            let counted: Vec<u64> = work
                .filter(|work| missing.contains(&&work.operation))
                .map(|work| work.at.n)
                .collect();
            counted.iter().max().is_none_or(|most| *most >= at.n)
        })
    };
    match promise.at() {
        Some(at) if !reached(at) => format!(
            "{names} was promised and not measured at {at}, where the claim is judged: this world \
             does not reach it, `--scale default` reaches whatever the audit names"
        ),
        _ => format!(
            "{names} was promised and not measured where the claim is judged: run a scale that \
             reaches it, or offer it"
        ),
    }
}

fn badness(verdict: Verdict) -> usize {
    use Verdict::{
        Confirmed, Exceeded, Fails, FallsShort, Inconclusive, NoEffect, Regression, Wrong,
    };
    let order = [
        Fails,
        Wrong,
        Regression,
        NoEffect,
        FallsShort,
        Inconclusive,
        Confirmed,
        Exceeded,
    ];
    order.iter().position(|v| *v == verdict).unwrap_or(0)
}

/// One operation; `None` when it was not measured where the promise is judged.
fn judge_operation(
    promise: Promise,
    operation: &OperationName,
    baseline: Option<&VariantEvidence>,
    variant: &VariantEvidence,
    cells: usize,
) -> Option<Found> {
    match promise {
        Promise::Ratio {
            of: of @ (Quantity::Time | Quantity::P95),
            lo,
            hi,
            at,
        } => {
            let promised = Promised { of, lo, hi };
            timed(operation, (baseline, variant), at, promised, cells)
        }
        Promise::Ratio {
            of: Quantity::Counter(of),
            lo,
            hi,
            at,
        } => counted(operation, baseline, variant, of, at, |today, fixed| {
            let words = format!(
                "{} to {}, {}",
                figure(today),
                figure(fixed),
                factor(today, fixed)
            );
            (words, rules::counter_ratio(today, fixed, lo, hi))
        }),
        Promise::Count {
            of,
            today: says,
            fixed: promised,
            at,
        } => counted(operation, baseline, variant, of, at, |today, fixed| {
            let words = format!("{} to {}", figure(today), figure(fixed));
            (words, rules::count(today, fixed, says, promised))
        }),
        Promise::Share { of, lo, hi, at } => {
            counted(operation, baseline, variant, of, at, |today, fixed| {
                let avoided = 100.0 * (1.0 - fixed / today);
                let words = format!(
                    "{} to {}, {avoided:.0} % fewer",
                    figure(today),
                    figure(fixed)
                );
                (words, rules::share(today, fixed, lo, hi))
            })
        }
        Promise::Growth { of, today, fixed } => {
            growth(operation, baseline, variant, of, today, fixed)
        }
        Promise::Runs | Promise::Additive => None,
    }
}

fn timed(
    operation: &OperationName,
    (baseline, variant): (Option<&VariantEvidence>, &VariantEvidence),
    at: At,
    promised: Promised,
    cells: usize,
) -> Option<Found> {
    let mut latencies = variant.latency.iter();
    let latency = latencies.find(|latency| latency.operation == *operation && latency.at == at)?;
    let (shown, mut judgement) = timed::judge(latency, promised, cells)?;
    let gain = baseline.and_then(|baseline| timed::gain(latency, baseline, variant));
    if let Some(gain) = gain {
        judgement.reason = format!("{}; {gain}", judgement.reason);
    }
    Some(Found {
        undecided: None,
        measured: format!("{shown} at {at}"),
        judgement,
    })
}

/// Judges a counter with either kind of plans, and takes the worse: PostgreSQL may change from
/// one to the other at any call from the sixth on.
fn counted(
    operation: &OperationName,
    baseline: Option<&VariantEvidence>,
    variant: &VariantEvidence,
    of: Counter,
    at: At,
    judge: impl Fn(f64, f64) -> (String, Judgement),
) -> Option<Found> {
    let value = |side: &VariantEvidence, mode: PlanMode| -> Option<f64> {
        let here =
            |work: &&Work| work.operation == *operation && work.at == at && work.plan_mode == mode;
        side.work.iter().find(here)?.counters.get(&of).copied()
    };
    let baseline = baseline?;
    let mut found: Vec<(Judgement, String)> = Vec::new();
    for mode in [PlanMode::Auto, PlanMode::Generic] {
        let Some(fixed) = value(variant, mode) else {
            continue;
        };
        // A side whose plans are generic by themselves is not counted with them again.
        let today = value(baseline, mode).or_else(|| value(baseline, PlanMode::Auto))?;
        let (words, mut judgement) = judge(today, fixed);
        let mut words = format!("{words} at {at}");
        if mode == PlanMode::Generic {
            words.push_str(" (generic plan)");
            judgement.reason = format!("with a generic plan: {}", judgement.reason);
        }
        found.push((judgement, words));
    }
    let (judgement, measured) = found
        .into_iter()
        .min_by_key(|(judgement, _)| badness(judgement.verdict))?;
    Some(Found {
        undecided: None,
        measured,
        judgement,
    })
}

fn growth(
    operation: &OperationName,
    baseline: Option<&VariantEvidence>,
    variant: &VariantEvidence,
    of: Counter,
    today: Order,
    fixed: Order,
) -> Option<Found> {
    let fit = |side: &VariantEvidence, mode: PlanMode| {
        let here = |fit: &&Growth| {
            fit.operation == *operation && fit.plan_mode == mode && fit.counter == of
        };
        side.growth.iter().find(here).cloned()
    };
    let baseline = baseline?;
    let mut found = Vec::new();
    for mode in [PlanMode::Auto, PlanMode::Generic] {
        let Some(after) = fit(variant, mode) else {
            continue;
        };
        let before = fit(baseline, mode).or_else(|| fit(baseline, PlanMode::Auto))?;
        let plans = match mode {
            PlanMode::Auto => "",
            PlanMode::Generic => " (generic plan)",
        };
        let measured = format!(
            "slope {} to {}{plans}, {}",
            slope_words(&before),
            slope_words(&after),
            of.words()
        );
        let nothing = |side: &VariantEvidence| {
            let here = side.work.iter().filter(|work| work.operation == *operation);
            let counted: Vec<f64> = here
                .filter_map(|work| work.counters.get(&of).copied())
                .collect();
            !counted.is_empty() && counted.iter().all(|value| *value == 0.0)
        };
        let judgement = match (interval(&before), interval(&after)) {
            _ if nothing(baseline) && nothing(variant) => Judgement::new(
                Verdict::Inconclusive,
                "nothing of it was counted on either side",
            ),
            (Some(from), Some(to)) => rules::growth(from, to, today, fixed),
            _ => Judgement::new(
                Verdict::Inconclusive,
                format!(
                    "{} rungs give no interval, and three are needed: run a scale whose ladder is longer",
                    before.rungs.min(after.rungs)
                ),
            ),
        };
        found.push(Found {
            undecided: None,
            measured,
            judgement,
        });
    }
    found
        .into_iter()
        .min_by_key(|found| badness(found.judgement.verdict))
}

fn interval(fit: &Growth) -> Option<Interval> {
    Some(Interval {
        lo: fit.lo?,
        hi: fit.hi?,
    })
}

fn slope_words(fit: &Growth) -> String {
    // Adding zero turns a slope of -0.001 into 0.00 rather than -0.00.
    let round = |value: f64| (value * 100.0).round() / 100.0 + 0.0;
    let slope = round(fit.slope);
    match interval(fit) {
        Some(Interval { lo, hi }) => {
            format!("{slope:.2} ({:.2} to {:.2})", round(lo), round(hi))
        }
        None => format!("{slope:.2}"),
    }
}

/// A counter per call: whole where it is, one digit otherwise.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn factor(today: f64, fixed: f64) -> String {
    if fixed == 0.0 {
        return "to nothing".to_owned();
    }
    let ratio = today / fixed;
    let digits = if ratio >= 10.0 { 0 } else { 2 };
    format!("{ratio:.digits$}x")
}
