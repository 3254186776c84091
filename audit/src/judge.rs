//! The rules applied to evidence, with expectation, measurement and reason in words.

use crate::catalogue::{Claim, ClaimKind, Flow, Item, Order};
use crate::evidence::{
    Capacity, ClaimEvidence, Complexity, FlowEvidence, ItemEvidence, Latency, Ratio, SelfCheck,
    VariantEvidence,
};
use crate::names::Side;
use crate::rules::{self, Growth, Judgement, Load};
use crate::verdict::Verdict;

/// Judges every claim of an item for every variant: one list per variant, in the evidence's
/// order, empty for the baseline.
pub fn judge_item(item: &Item, evidence: &ItemEvidence) -> Vec<Vec<ClaimEvidence>> {
    let baseline = evidence.variants.iter().find(|v| v.name == "baseline");
    evidence
        .variants
        .iter()
        .map(|variant| {
            if variant.name == "baseline" {
                return Vec::new();
            }
            item.claims
                .iter()
                .map(|claim| judge_claim(claim, baseline, variant))
                .collect()
        })
        .collect()
}

/// Judges one side of a flow: the optimized one by the audit's goal, the baseline by its
/// "before" figure.
pub fn judge_flow(flow: &Flow, side: Side, load: &Load) -> Judgement {
    match side {
        Side::Optimized => rules::goal(load, flow.goal_ms),
        Side::Baseline => rules::before(load, flow.before_ms, flow.before_is),
    }
}

/// Judges the baseline against itself.
pub fn judge_self(ratio: Ratio) -> SelfCheck {
    SelfCheck {
        ratio,
        verdict: rules::self_check(ratio).verdict,
    }
}

/// The largest load at which a flow's goal holds on one side, and at every smaller one measured.
/// `rows` may hold other flows and sides; the fit and the projection are the caller's to add.
pub fn largest_holding(flow: &Flow, side: Side, rows: &[FlowEvidence]) -> Capacity {
    let (id, side) = (flow.id.to_string(), side.to_string());
    let mine = || rows.iter().filter(|row| row.id == id && row.side == side);
    let mut users: Vec<_> = mine().filter_map(|row| Some((row.users?, row))).collect();
    users.sort_by_key(|(users, _)| *users);
    let mut rates: Vec<_> = mine().filter_map(|row| Some((row.rate?, row))).collect();
    rates.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let holds = |row: &FlowEvidence| rules::holds(&row.load(), flow.goal_ms);
    let max_users = users.iter().take_while(|(_, row)| holds(row)).last();
    let max_rate = rates.iter().take_while(|(_, row)| holds(row)).last();
    Capacity {
        max_users: max_users.map(|(users, _)| *users),
        max_rate: max_rate.map(|(rate, _)| *rate),
        usl: None,
        projection: None,
        id,
        side,
    }
}

impl FlowEvidence {
    /// What the row's p95 rests on.
    pub fn load(&self) -> Load {
        Load {
            p95: self.p95,
            requests: self.requests,
            errors: self.errors,
        }
    }
}

impl VariantEvidence {
    /// Whether it runs and no answer that was compared differs: only then do its timings mean
    /// anything.
    pub fn stands(&self) -> bool {
        self.failure.is_none() && self.answers.as_ref().is_none_or(|a| a.differing == 0)
    }
}

impl ItemEvidence {
    /// Judges the item and stores the claims with each variant.
    pub fn judge(&mut self, item: &Item) {
        let judged = judge_item(item, self);
        for (variant, claims) in self.variants.iter_mut().zip(judged) {
            variant.claims = claims;
        }
    }
}

/// What one claim came to before it is put beside the expectation.
struct Finding {
    measured: String,
    judgement: Judgement,
}

impl Finding {
    fn new(measured: impl Into<String>, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            measured: measured.into(),
            judgement: Judgement::new(verdict, reason),
        }
    }
}

fn judge_claim(
    claim: &Claim,
    baseline: Option<&VariantEvidence>,
    variant: &VariantEvidence,
) -> ClaimEvidence {
    let finding = disqualified(baseline, variant).unwrap_or_else(|| match claim.kind {
        ClaimKind::SpeedUp { lo, hi, at } => speed_up(claim, variant, lo, hi, at),
        ClaimKind::Complexity { today, fixed } => growth(claim, baseline, variant, today, fixed),
    });
    ClaimEvidence {
        id: claim.id.clone(),
        expected: claim.kind.to_string(),
        measured: finding.measured,
        verdict: finding.judgement.verdict,
        reason: finding.judgement.reason,
    }
}

/// What stands before any figure: a variant that fails, or answers differently, gains nothing.
fn disqualified(baseline: Option<&VariantEvidence>, variant: &VariantEvidence) -> Option<Finding> {
    if let Some(failure) = &variant.failure {
        return Some(Finding::new("does not run", Verdict::Fails, failure));
    }
    match &variant.answers {
        Some(answers) if answers.differing > 0 => {
            let measured = format!(
                "{} of {} answers differ",
                answers.differing, answers.checked
            );
            let reason = answers
                .first_difference
                .as_deref()
                .unwrap_or("answers differ from today's");
            Some(Finding::new(measured, Verdict::Wrong, reason))
        }
        Some(answers) if answers.checked > 0 => {
            baseline.and_then(|b| b.failure.as_ref()).map(|failure| {
                let reason = format!("today's own code does not run: {failure}");
                Finding::new("no comparison", Verdict::Inconclusive, reason)
            })
        }
        _ => Some(Finding::new(
            "nothing compared",
            Verdict::Inconclusive,
            "answers were not compared with today's, and a fast wrong answer is no gain: let the item's check run first",
        )),
    }
}

fn speed_up(claim: &Claim, variant: &VariantEvidence, lo: f64, hi: f64, at: u64) -> Finding {
    let wanted = |latency: &&Latency| {
        claim
            .operation
            .as_ref()
            .is_none_or(|operation| latency.operation == *operation)
    };
    let mut judged: Vec<(&Latency, Judgement)> = variant
        .latency
        .iter()
        .filter(wanted)
        .filter(|latency| latency.n == at)
        .map(|latency| (latency, rules::speed_up(latency.ratio, lo, hi)))
        .collect();
    if judged.is_empty() {
        let largest = variant.latency.iter().filter(wanted).max_by_key(|l| l.n);
        return Finding::new(
            largest.map_or_else(|| "not timed".to_owned(), latency_words),
            Verdict::Inconclusive,
            format!(
                "not timed at n = {at}, where the claim is judged: run a scale whose ladder reaches it"
            ),
        );
    }
    // A promise made of the whole item is as good as its worst operation.
    judged.sort_by_key(|(_, judgement)| badness(judgement.verdict));
    let measured: Vec<String> = judged.iter().map(|(l, _)| latency_words(l)).collect();
    let measured = measured.join("; ");
    let several = judged.len() > 1;
    let (worst, mut judgement) = judged.swap_remove(0);
    if several {
        judgement.reason = format!("{}: {}", worst.operation, judgement.reason);
    }
    Finding {
        measured,
        judgement,
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

fn latency_words(latency: &Latency) -> String {
    let operation = match latency.operation.as_str() {
        "" => String::new(),
        name => format!("{name}: "),
    };
    format!("{operation}{} at n = {}", latency.ratio, latency.n)
}

fn growth(
    claim: &Claim,
    baseline: Option<&VariantEvidence>,
    variant: &VariantEvidence,
    today: Order,
    fixed: Order,
) -> Finding {
    let fitted = |side: Option<&VariantEvidence>| {
        side.and_then(|side| side.complexity.clone()).filter(|fit| {
            claim
                .operation
                .as_ref()
                .is_none_or(|operation| fit.operation == *operation)
        })
    };
    let (Some(before), Some(after)) = (fitted(baseline), fitted(Some(variant))) else {
        return Finding::new(
            "work not fitted",
            Verdict::Inconclusive,
            "work was not counted on both sides along the ladder: run at least three rungs",
        );
    };
    let (of, to) = (counted(&before), counted(&after));
    let (old, new) = (slope_words(&before), slope_words(&after));
    let measured = if of == to {
        format!("slope {old} to {new}, {of}")
    } else {
        format!("slope {old}, {of}, to {new}, {to}")
    };
    let (Some(from), Some(to)) = (interval(&before), interval(&after)) else {
        return Finding::new(
            measured,
            Verdict::Inconclusive,
            format!(
                "{} rungs give no interval, and three are needed: run a scale whose ladder is longer",
                before.rungs.min(after.rungs)
            ),
        );
    };
    Finding {
        measured,
        judgement: rules::complexity(from, to, today, fixed),
    }
}

fn interval(fit: &Complexity) -> Option<Growth> {
    Some(Growth {
        lo: fit.lo?,
        hi: fit.hi?,
    })
}

fn slope_words(fit: &Complexity) -> String {
    // Adding zero turns a slope of -0.001 into 0.00 rather than -0.00.
    let round = |value: f64| (value * 100.0).round() / 100.0 + 0.0;
    let slope = round(fit.slope);
    match interval(fit) {
        Some(Growth { lo, hi }) => {
            format!("{slope:.2} ({:.2} to {:.2})", round(lo), round(hi))
        }
        None => format!("{slope:.2}"),
    }
}

/// What a slope was fitted on.
fn counted(fit: &Complexity) -> String {
    match fit.operation.as_str() {
        "" => fit.counter.clone(),
        operation => format!("{} of {operation}", fit.counter),
    }
}
