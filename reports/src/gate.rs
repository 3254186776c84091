//! Whether a run may pass: what nightly jobs and release checks ask.

use verdict_audit::evidence::{FlowEvidence, Results};
use verdict_audit::{Side, VariantName, Verdict};

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
/// miss: they are what is to be mended. What was not compared
/// or not decided cannot be judged. A known miss outweighs what is unknown.
pub fn gate(results: &Results) -> Gate {
    let mut missed = Vec::new();
    let mut unknown = Vec::new();

    for item in &results.items {
        let mut variants = item.variants.iter();
        let Some(optimized) = variants.find(|v| v.name == VariantName::Optimized) else {
            unknown.push(format!("{}: the optimized variant was not run", item.id));
            continue;
        };
        if let Some(failure) = &optimized.failure {
            missed.push(format!("{}: optimized does not run: {failure}", item.id));
            continue;
        }
        match &optimized.answers {
            Some(answers) if answers.differing > 0 => missed.push(format!(
                "{}: optimized answers {} of {} requests differently from today{}",
                item.id,
                answers.differing,
                answers.checked,
                answers
                    .first_difference
                    .as_ref()
                    .map(|first| format!(", first {first}"))
                    .unwrap_or_default()
            )),
            Some(answers) if answers.checked > 0 => {}
            _ => unknown.push(format!(
                "{}: optimized's answers were not compared with today's: run `verdict check {}`",
                item.id, item.id
            )),
        }
    }
    for item in &results.items {
        let fixed = item
            .variants
            .iter()
            .filter(|v| v.name == VariantName::Optimized && v.stands());
        for claim in fixed.flat_map(|variant| &variant.claims) {
            if matches!(
                claim.verdict,
                Verdict::Wrong | Verdict::Regression | Verdict::Fails
            ) {
                missed.push(format!(
                    "{}: optimized, {}: {}: {} ({})",
                    item.id, claim.id, claim.verdict, claim.measured, claim.reason
                ));
            }
        }
    }
    if results.items.is_empty() {
        unknown.push("no item was tried".to_owned());
    }

    let optimized = results
        .targets
        .iter()
        .filter(|target| target.side == Side::Optimized);
    let judged: Vec<_> = optimized.collect();
    for target in &judged {
        let line = format!(
            "{} under load, p95 below {} ms: {} ({})",
            target.id, target.target_ms, target.verdict, target.reason
        );
        match target.verdict {
            Verdict::Confirmed | Verdict::Exceeded => {}
            Verdict::Inconclusive => unknown.push(line),
            _ => missed.push(line),
        }
    }
    let wrong = |row: &&FlowEvidence| row.side == Side::Optimized && row.verdict == Verdict::Wrong;
    let told = |row: &FlowEvidence| {
        let mut same = judged.iter().filter(|target| target.id == row.id);
        same.any(|target| target.verdict == Verdict::Wrong)
    };
    for row in results.flows.iter().filter(wrong).filter(|row| !told(row)) {
        let line = format!("{} under load: {} ({})", row.id, row.verdict, row.reason);
        if !missed.contains(&line) {
            missed.push(line);
        }
    }
    if judged.is_empty() {
        unknown.push("no optimized flow was judged under load: run `verdict load`".to_owned());
    }

    if !missed.is_empty() {
        Gate::Missed(missed)
    } else if !unknown.is_empty() {
        Gate::CannotJudge(unknown)
    } else {
        Gate::Met
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
