//! A flow that the audit has no target for.

mod common;

use verdict_audit::evidence::Results;
use verdict_audit::{FlowId, Side, Verdict};
use verdict_reports::{Gate, gate, html, table};

/// The made-up run, in which what was measured of history was measured of the mix.
fn mixed() -> Results {
    let mut results = common::results();
    for row in &mut results.flows {
        if row.id == FlowId::History {
            row.id = FlowId::Mix;
            row.target_ms = None;
            row.verdict = Verdict::Inconclusive;
        }
    }
    for ratio in &mut results.flow_ratios {
        if ratio.id == FlowId::History {
            ratio.id = FlowId::Mix;
        }
    }
    results.capacity.retain(|of| of.id != FlowId::History);
    results.judge();
    results
}

#[test]
fn it_is_shown_with_its_ratios_and_held_to_nothing() {
    let results = mixed();
    assert_eq!(results.contradiction(), None);
    let mix = results.targets.iter().filter(|of| of.id == FlowId::Mix);
    assert_eq!(mix.count(), 0);
    let shown = table::render(&results, false);
    let (_, said) = shown
        .split_once("flow mix: the audit has no target for it\n")
        .unwrap();
    assert!(said.starts_with("  today ÷ optimized at 4 users"), "{said}");
    let page = html::render(&results, &[]).unwrap();
    assert!(page.contains("20 % feed (the first screen"));
    assert!(page.contains("no target"));
}

#[test]
fn a_target_that_it_has_not_is_refused() {
    let mut results = mixed();
    let mut rows = results.flows.iter_mut();
    let row = rows.find(|row| row.id == FlowId::Mix).unwrap();
    row.target_ms = Some(100.0);
    let said = results.contradiction().unwrap();
    assert!(said.contains("held to 100 ms"), "{said}");
}

#[test]
fn a_wrong_answer_misses_the_gate() {
    let mut results = mixed();
    let mut rows = results.flows.iter_mut();
    let wrong = |row: &&mut verdict_audit::evidence::FlowEvidence| {
        row.id == FlowId::Mix && row.side == Side::Optimized
    };
    rows.find(wrong).unwrap().verdict = Verdict::Wrong;
    let Gate::Missed(reasons) = gate(&results) else {
        panic!("not missed");
    };
    assert!(
        reasons
            .iter()
            .any(|of| of.starts_with("mix under load: wrong"))
    );
}
