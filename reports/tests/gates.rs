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

#[test]
fn a_sound_run_meets_the_gate_whatever_the_proposals_do() {
    assert_eq!(gate(&common::results()), Gate::Met);
}

#[test]
fn a_different_answer_or_a_failure_or_a_missed_goal_is_missed() {
    let mut results = common::results();
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
    let mut results = common::results();
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
    let mut results = common::results();
    results.items.clear();
    results.flows.clear();
    results.targets.clear();
    assert!(matches!(gate(&results), Gate::CannotJudge(reasons) if reasons.len() == 2));
}

#[test]
fn a_known_miss_outweighs_what_is_unknown() {
    let mut results = common::results();
    optimized(&mut results, 0).answers = None;
    judged(&mut results).verdict = Verdict::Fails;
    assert!(matches!(gate(&results), Gate::Missed(reasons) if reasons.len() == 1));
}

#[test]
fn wrong_answers_of_the_optimized_side_are_missed_at_any_load_and_todays_are_not() {
    let mut results = common::results();
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
    let mut results = common::results();
    for row in results.flows.iter_mut().filter(|row| !row.judged) {
        row.verdict = Verdict::FallsShort;
    }
    assert_eq!(gate(&results), Gate::Met);
}
