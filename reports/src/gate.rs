//! Whether a run may pass: what nightly jobs and release checks ask.

use verdict_audit::evidence::{
    ClaimEvidence, FlowEvidence, ItemEvidence, Results, VariantEvidence,
};
use verdict_audit::{Catalogue, Side, VariantName, Verdict};

/// The answer of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// Every optimized variant answers as today, and every judged flow holds its goal.
    Met,
    /// Something must be mended, each with its reason.
    Missed(Vec<String>),
    /// Nothing is known to be wrong, but something was not shown to be right.
    CannotJudge(Vec<String>),
}

/// Holds results to what must never break: an optimized variant that fails or answers
/// differently, is slower than today or breaks today's operations, and an optimized flow that
/// misses its goal, or answers wrongly at any load, are missed. Wrong answers of today's are no
/// miss: they are what is to be mended. Where an item keeps today, that nothing beats it is what
/// is held. What was not compared or not decided cannot be judged. A known miss outweighs what
/// is unknown.
pub fn gate(results: &Results) -> Gate {
    let mut found = Reasons::default();
    if results.items.is_empty() {
        found.unknown.push("no item was tried".to_owned());
    }
    for item in &results.items {
        match &item.keep {
            Some(why) => found.kept(item, why),
            None => found.fixed(item),
        }
    }
    found.flows(results);
    if !found.missed.is_empty() {
        Gate::Missed(found.missed)
    } else if !found.unknown.is_empty() {
        Gate::CannotJudge(found.unknown)
    } else {
        Gate::Met
    }
}

#[derive(Default)]
struct Reasons {
    missed: Vec<String>,
    unknown: Vec<String>,
}

impl Reasons {
    /// An item whose fix is to be shipped.
    fn fixed(&mut self, item: &ItemEvidence) {
        let mut variants = item.variants.iter();
        let Some(optimized) = variants.find(|v| v.name == VariantName::Optimized) else {
            let words = format!("{}: the optimized variant was not run", item.id);
            self.unknown.push(words);
            return;
        };
        if let Some(failure) = &optimized.failure {
            self.missed
                .push(format!("{}: optimized does not run: {failure}", item.id));
            return;
        }
        match &optimized.answers {
            Some(answers) if answers.differing > 0 => {
                let first = answers.first_difference.as_ref();
                let first = first.map(|first| format!(", first {first}"));
                self.missed.push(format!(
                    "{}: optimized answers {} of {} requests wrongly{}",
                    item.id,
                    answers.differing,
                    answers.checked,
                    first.unwrap_or_default()
                ));
            }
            Some(answers) if answers.checked > 0 => self.claims(item, optimized),
            _ => self.unknown.push(format!(
                "{}: optimized's answers were not compared with today's: run `verdict check {}`",
                item.id, item.id
            )),
        }
    }

    fn claims(&mut self, item: &ItemEvidence, optimized: &VariantEvidence) {
        for claim in &optimized.claims {
            let line = || {
                format!(
                    "{}: optimized, {}: {}: {} ({})",
                    item.id, claim.id, claim.verdict, claim.measured, claim.reason
                )
            };
            match claim.verdict {
                Verdict::Wrong | Verdict::Regression | Verdict::Fails => self.missed.push(line()),
                Verdict::Inconclusive => self.unknown.push(line()),
                _ => self.unknown.extend(claim.undecided.as_ref().map(|open| {
                    let id = &item.id;
                    format!("{id}: optimized, {}: not decided: {open}", claim.id)
                })),
            }
        }
    }

    /// An item that keeps today, since nothing that was tried beats it.
    fn kept(&mut self, item: &ItemEvidence, why: &str) {
        let tried = |variant: &&VariantEvidence| variant.name != VariantName::Baseline;
        if !item.variants.iter().any(|variant| tried(&variant)) {
            self.unknown.push(format!(
                "{}: today is kept ({why}), and nothing was tried against it",
                item.id
            ));
        }
        let Ok(finding) = Catalogue::builtin().item(item.id.as_str()) else {
            return;
        };
        for variant in item.variants.iter().filter(tried) {
            let open = |claim: &ClaimEvidence| {
                finding.promises_a_ratio(claim) && claim.verdict == Verdict::Inconclusive
            };
            if variant.stands() && variant.claims.iter().any(open) {
                self.unknown.push(format!(
                    "{}: today is kept ({why}), and whether {} beats it was not decided",
                    item.id, variant.name
                ));
            }
        }
        for (variant, claim) in item.better_than_today(finding) {
            self.missed.push(format!(
                "{}: today is kept ({why}), and {} beats it, {}: {}: keep it no longer",
                item.id, variant.name, claim.id, claim.measured
            ));
        }
    }

    fn flows(&mut self, results: &Results) {
        let side = |side: Side| side == Side::Optimized;
        let judged: Vec<_> = results.targets.iter().filter(|of| side(of.side)).collect();
        for target in &judged {
            let line = format!(
                "{} under load, p95 below {} ms: {} ({})",
                target.id, target.target_ms, target.verdict, target.reason
            );
            match target.verdict {
                Verdict::Confirmed | Verdict::Exceeded => {}
                Verdict::Inconclusive => self.unknown.push(line),
                _ => self.missed.push(line),
            }
        }
        let told = |row: &FlowEvidence| {
            let mut same = judged.iter().filter(|target| target.id == row.id);
            same.any(|target| target.verdict == Verdict::Wrong)
        };
        let wrong = results.flows.iter().filter(|row| side(row.side));
        let wrong = wrong.filter(|row| row.verdict == Verdict::Wrong && !told(row));
        for row in wrong {
            let line = format!("{} under load: {} ({})", row.id, row.verdict, row.reason);
            if !self.missed.contains(&line) {
                self.missed.push(line);
            }
        }
        if judged.is_empty() {
            let words = "no optimized flow was judged under load: run `verdict load`";
            self.unknown.push(words.to_owned());
        }
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (heading, reasons) = match self {
            Self::Met => {
                return f.write_str(
                    "met: every optimized variant answers as today, every judged flow holds its goal",
                );
            }
            Self::Missed(reasons) => ("missed", reasons),
            Self::CannotJudge(reasons) => ("cannot judge", reasons),
        };
        write!(f, "{heading}:")?;
        for reason in reasons {
            write!(f, "\n- {reason}")?;
        }
        Ok(())
    }
}
