//! Gates of a team's own: proposed from a run, held by it, and missed by whatever is worse.

mod common;

use std::path::PathBuf;
use std::sync::LazyLock;

use verdict_audit::evidence::{Estimate, ItemEvidence, Results, VariantEvidence};
use verdict_audit::{Counter, Exit, Side, VariantName, Verdict};
use verdict_reports::gates::{self, Gates, GatesError, Line, Standing};

static RESULTS: LazyLock<Results> = LazyLock::new(common::results);

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gates.toml");
    std::fs::write(&file, text).expect("a file");
    (folder, file)
}

fn proposed() -> Gates {
    let (_folder, file) = written(&gates::propose(&RESULTS));
    Gates::read(&file).expect("gates")
}

fn standing(lines: &[Line], standing: Standing) -> Vec<String> {
    let lines = lines.iter().filter(|line| line.standing == standing);
    lines.map(ToString::to_string).collect()
}

/// The lines of results with a change to the fix of their first item.
fn changed(change: impl Fn(&mut VariantEvidence)) -> Vec<Line> {
    let mut results = RESULTS.clone();
    let variants = &mut results.items[0].variants;
    let fix = |variant: &&mut VariantEvidence| variant.name == VariantName::Optimized;
    change(variants.iter_mut().find(fix).expect("a fix"));
    gates::judge(&proposed(), &results)
}

#[test]
fn a_run_holds_the_gates_that_it_proposes() {
    let gates = proposed();
    let lines = gates::judge(&gates, &RESULTS);
    assert_eq!(standing(&lines, Standing::Missed), [""; 0]);
    assert_eq!(standing(&lines, Standing::Unknown), [""; 0]);
    assert_eq!(gates::exit(&lines), Exit::Met);
    let first = &gates.items[0];
    assert!(first.answers && first.no_regression);
    assert!(!first.work.is_empty() && !first.growth.is_empty() && !first.speed_up.is_empty());
    assert!(!gates.flows.is_empty());
    insta::assert_snapshot!("proposed", gates::propose(&RESULTS));
}

#[test]
fn whatever_is_worse_misses_its_gate_alone() {
    type Change = fn(&mut VariantEvidence);
    let changes: [(&str, Change); 6] = [
        ("answers", |fix| {
            let answers = fix.answers.as_mut().expect("answers");
            answers.differing = 1;
            answers.first_difference = Some("one".to_owned());
        }),
        ("answers", |fix| {
            fix.failure = Some("it fell over".to_owned())
        }),
        ("statements of", |fix| {
            let work = fix.work.iter_mut();
            for counters in work.map(|work| &mut work.counters) {
                let more = |(counter, value): (&Counter, &mut f64)| {
                    if *counter == Counter::Statements {
                        *value += 1.0;
                    }
                };
                counters.iter_mut().for_each(more);
            }
        }),
        ("growth of", |fix| {
            for growth in &mut fix.growth {
                (growth.slope, growth.lo, growth.hi) = (2.0, Some(1.9), Some(2.1));
            }
        }),
        ("speed-up in time", |fix| {
            for ratio in fix.latency.iter_mut().filter_map(|one| one.judged.as_mut()) {
                (ratio.value, ratio.lo, ratio.hi) = (0.5, 0.4, 0.6);
            }
        }),
        ("no regression", |fix| {
            fix.claims[0].verdict = Verdict::Regression;
        }),
    ];
    for (gate, change) in changes {
        let lines = changed(change);
        let missed: Vec<&Line> = lines
            .iter()
            .filter(|line| line.standing == Standing::Missed)
            .collect();
        assert!(!missed.is_empty(), "{gate}");
        for line in missed {
            assert!(line.gate.starts_with(gate), "{gate}: {line}");
        }
        assert_eq!(gates::exit(&lines), Exit::Missed);
    }
}

#[test]
fn what_is_timed_fails_only_where_all_of_its_interval_does() {
    let lines = changed(|fix| {
        for ratio in fix.latency.iter_mut().filter_map(|one| one.judged.as_mut()) {
            (ratio.lo, ratio.hi) = (ratio.lo / 2.0, ratio.hi * 2.0);
        }
    });
    assert!(!standing(&lines, Standing::Open).is_empty());
    assert_eq!(gates::exit(&lines), Exit::Met);

    let mut results = RESULTS.clone();
    let fix = |side: Side| side == Side::Optimized;
    let target = results.targets.iter_mut().find(|one| fix(one.side));
    target.expect("a target").judged = Some(Estimate {
        value: 9e6,
        lo: Some(8e6),
        hi: Some(9.5e6),
    });
    let lines = gates::judge(&proposed(), &results);
    assert_eq!(standing(&lines, Standing::Missed).len(), 1);
}

#[test]
fn a_run_without_times_is_held_to_answers_and_work() {
    let mut results = RESULTS.clone();
    let variants = |item: &mut ItemEvidence| std::mem::take(&mut item.variants);
    for item in &mut results.items {
        let untimed = variants(item).into_iter().map(|variant| VariantEvidence {
            latency: Vec::new(),
            ..variant
        });
        item.variants = untimed.collect();
    }
    results.flows.clear();
    results.flow_ratios.clear();
    results.targets.clear();
    let lines = gates::judge(&proposed(), &results);
    assert!(!standing(&lines, Standing::Untimed).is_empty());
    assert_eq!(gates::exit(&lines), Exit::Met);
}

#[test]
fn what_was_not_run_cannot_be_judged() {
    let mut other = RESULTS.clone();
    other.run.seed += 1;
    let mut without = RESULTS.clone();
    without.items.remove(0);
    for results in [other, without] {
        let lines = gates::judge(&proposed(), &results);
        assert_eq!(standing(&lines, Standing::Unknown).len(), 1);
        assert_eq!(gates::exit(&lines), Exit::CannotJudge);
    }
    assert_eq!(gates::exit(&[]), Exit::CannotJudge);
}

#[test]
fn files_without_gates_are_told_with_what_to_do() {
    for text in [
        "",
        "schema = 1",
        "schema = 9\nscale = \"smoke\"\nseed = 1",
        "schema = 1\nscale = \"smoke\"\nseed = 1\nsurprise = true",
        "schema = 1\nscale = \"smoke\"\nseed = 1\n[[items]]\nid = \"no-such-item\"",
        "schema = 1\nscale = \"smoke\"\nseed = 1\n[margins]\nno_such_counter = 1.0",
    ] {
        let (_folder, file) = written(text);
        let error = Gates::read(&file).expect_err(text);
        assert_eq!(error.exit(), Exit::Data, "{error}");
        assert!(error.to_string().contains("gates.toml"), "{error}");
    }
    let error = Gates::read(&PathBuf::from("/nowhere")).expect_err("nothing");
    assert!(matches!(error, GatesError::Io { .. }));
}

#[test]
fn lines_are_written_for_machines_and_people_elsewhere() {
    let line = |gate: &str, standing, words: &str| Line {
        subject: "message-send".to_owned(),
        gate: gate.to_owned(),
        standing,
        words: words.to_owned(),
    };
    let lines = [
        line(
            "answers",
            Standing::Missed,
            "1 of 9 differ, first <a|b>\n100 %",
        ),
        line("growth of rows", Standing::Unknown, "too few rungs"),
        line("speed-up", Standing::Untimed, "nothing was timed"),
        line("statements", Standing::Met, "3.0, at most 3.0"),
    ];
    insta::assert_snapshot!("annotations", gates::annotations(&lines));
    insta::assert_snapshot!("markdown", gates::markdown(&lines));
    insta::assert_snapshot!("junit", gates::junit(&lines).expect("XML"));
    let json: serde_json::Value =
        serde_json::from_str(&gates::json(&lines).expect("JSON")).expect("JSON");
    assert_eq!(json[0]["standing"], "missed");
}
