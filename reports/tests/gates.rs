//! What passes a gate and what does not.

mod common;

use verdict_audit::evidence::{Results, TargetEvidence};
use verdict_audit::{Side, VariantName, Verdict};
use verdict_reports::{Gate, gate};

fn optimized(results: &mut Results, item: usize) -> &mut verdict_audit::evidence::VariantEvidence {
    let variants = &mut results.items[item].variants;
    variants
        .iter_mut()
        .find(|v| v.name == VariantName::Optimized)
        .expect("an optimized variant")
}

fn judged(results: &mut Results) -> &mut TargetEvidence {
    let mut targets = results.targets.iter_mut();
    targets
        .find(|target| target.side == Side::Optimized)
        .expect("a judged target")
}

/// The made-up run without what was not measured in it.
fn decided() -> Results {
    let mut results = common::results();
    for item in &mut results.items {
        for variant in &mut item.variants {
            let claims = &mut variant.claims;
            claims.retain(|claim| claim.verdict != Verdict::Inconclusive);
        }
    }
    results
}

#[test]
fn a_sound_run_meets_the_gate_whatever_the_proposals_do() {
    assert_eq!(gate(&decided()), Gate::Met);
}

#[test]
fn a_different_answer_or_a_failure_or_a_missed_goal_is_missed() {
    let mut results = decided();
    let answers = optimized(&mut results, 0).answers.as_mut().unwrap();
    answers.differing = 2;
    answers.first_difference = Some("history #9: 20 rows became 19".to_owned());
    optimized(&mut results, 1).failure = Some("syntax error at line 3".to_owned());
    let flow = judged(&mut results);
    flow.verdict = Verdict::FallsShort;
    flow.reason = "p95 surely is not below 50 ms".to_owned();
    insta::assert_snapshot!(gate(&results));
}

#[test]
fn what_was_not_shown_cannot_be_judged() {
    let mut results = decided();
    optimized(&mut results, 0).answers = None;
    results.items[1]
        .variants
        .retain(|v| v.name != VariantName::Optimized);
    judged(&mut results).verdict = Verdict::Inconclusive;
    judged(&mut results).reason = "the interval holds 50 ms: run for longer".to_owned();
    insta::assert_snapshot!(gate(&results));
}

#[test]
fn an_empty_run_cannot_be_judged() {
    let mut results = decided();
    results.items.clear();
    results.flows.clear();
    results.targets.clear();
    assert!(matches!(gate(&results), Gate::CannotJudge(reasons) if reasons.len() == 2));
}

#[test]
fn a_known_miss_outweighs_what_is_unknown() {
    let mut results = decided();
    optimized(&mut results, 0).answers = None;
    judged(&mut results).verdict = Verdict::Fails;
    assert!(matches!(gate(&results), Gate::Missed(reasons) if reasons.len() == 1));
}

#[test]
fn wrong_answers_of_the_optimized_side_are_missed_at_any_load_and_todays_are_not() {
    let mut results = decided();
    results.targets.clear();
    for row in &mut results.flows {
        if row.side == Side::Baseline {
            row.verdict = Verdict::Wrong;
        }
    }
    assert!(matches!(gate(&results), Gate::CannotJudge(_)));
    let mut rows = results.flows.iter_mut();
    let row = rows.find(|row| row.side == Side::Optimized).unwrap();
    row.verdict = Verdict::Wrong;
    row.reason = "1 of 900 answers are wrong, first row 7".to_owned();
    let Gate::Missed(reasons) = gate(&results) else {
        panic!("a wrong answer passed");
    };
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("row 7"), "{reasons:?}");
}

#[test]
fn a_miss_at_a_load_that_is_not_judged_does_not_count() {
    let mut results = decided();
    for row in results.flows.iter_mut().filter(|row| !row.judged) {
        row.verdict = Verdict::FallsShort;
    }
    assert_eq!(gate(&results), Gate::Met);
}

#[test]
fn a_claim_that_is_not_decided_cannot_be_judged_and_one_that_is_lost_is_missed() {
    let mut results = decided();
    let claims = &mut optimized(&mut results, 0).claims;
    claims[0].verdict = Verdict::Inconclusive;
    assert!(matches!(gate(&results), Gate::CannotJudge(reasons) if reasons.len() == 1));
    let claim = &mut optimized(&mut results, 0).claims[0];
    claim.verdict = Verdict::FallsShort;
    assert_eq!(gate(&results), Gate::Met);
    // The worst operation decides a claim, and another of them may be slower than today.
    let claim = &mut optimized(&mut results, 0).claims[0];
    claim.undecided = Some("first-page: 1.07x (0.99-1.15)".to_owned());
    assert!(matches!(gate(&results), Gate::CannotJudge(reasons) if reasons.len() == 1));
    optimized(&mut results, 0).claims[0].verdict = Verdict::Regression;
    assert!(matches!(gate(&results), Gate::Missed(reasons) if reasons.len() == 1));
}

#[test]
fn where_today_is_kept_whatever_loses_is_met_and_what_beats_it_is_missed() {
    let mut results = decided();
    results.items[1].keep = Some("nothing tried is faster".to_owned());
    let Gate::Missed(reasons) = gate(&results) else {
        panic!("a fix that beats what is kept passed");
    };
    assert!(reasons.iter().all(|why| why.contains("keep it no longer")));
    for variant in &mut results.items[1].variants {
        for claim in &mut variant.claims {
            claim.verdict = Verdict::Regression;
        }
    }
    assert_eq!(gate(&results), Gate::Met);
    results.items[1]
        .variants
        .retain(|v| v.name == VariantName::Baseline);
    assert!(matches!(gate(&results), Gate::CannotJudge(reasons) if reasons.len() == 1));
}
