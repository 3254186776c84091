//! `results.json` on disk.

mod common;

use std::fs;

use verdict_audit::evidence::{Results, SCHEMA, VariantEvidence};
use verdict_audit::{Exit, Verdict};
use verdict_reports::json::{self, JsonError};

#[test]
fn what_is_written_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/results.json");
    let results = common::results();
    json::write(&path, &results).unwrap();
    // Not assert_eq, which would print the whole of both.
    assert!(json::read(&path).unwrap() == results);
}

#[test]
fn a_second_writing_replaces_the_first_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    let mut results = common::results();
    json::write(&path, &results).unwrap();
    results.run.seed = 43;
    json::write(&path, &results).unwrap();
    assert_eq!(json::read(&path).unwrap().run.seed, 43);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/results.json");
    let error = json::write(&path, &common::results()).unwrap_err();
    assert!(matches!(error, JsonError::Io { .. }));
    assert!(error.to_string().starts_with("creating"), "{error}");
}

#[test]
fn each_unreadable_file_has_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    let whole = serde_json::to_string(&common::results()).unwrap();
    let no_seed = whole.replacen("\"seed\"", "\"sead\"", 1);
    let words = |text: &str| {
        fs::write(&path, text).unwrap();
        let words = json::read(&path).unwrap_err().to_string();
        words.replace(&path.display().to_string(), "results.json")
    };
    assert!(
        json::read(&path)
            .unwrap_err()
            .to_string()
            .starts_with("no results at")
    );
    insta::assert_snapshot!(
        [
            words(""),
            words(&whole[..whole.len() / 2]),
            words("<html>"),
            words("[]"),
            words("{}"),
            words(&whole.replacen(&format!("\"schema\":{SCHEMA}"), "\"schema\":2", 1)),
            words(&no_seed),
        ]
        .join("\n")
    );
}

#[test]
fn a_file_that_cannot_be_true_is_refused_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    let sound = common::results();
    let words = |spoil: &dyn Fn(&mut Results)| {
        let mut results = sound.clone();
        spoil(&mut results);
        json::write(&path, &results).unwrap();
        let error = json::read(&path).unwrap_err();
        assert_eq!(error.exit(), Exit::Data);
        error
            .to_string()
            .replace(&path.display().to_string(), "results.json")
    };
    let optimized = |results: &mut Results| -> usize {
        let variants = &results.items[0].variants;
        variants.iter().position(|v| !v.latency.is_empty()).unwrap()
    };
    insta::assert_snapshot!(
        [
            words(&|results| {
                let variant = optimized(results);
                results.items[0].variants[variant].claims[0].verdict = Verdict::Exceeded;
            }),
            words(&|results| {
                let variant = optimized(results);
                results.items[0].variants[variant].claims.clear();
            }),
            words(&|results| results.run.aa.as_mut().unwrap().verdict = Verdict::Exceeded),
            words(&|results| results.run.aa.as_mut().unwrap().ratio.hi = 9.0),
            words(&|results| {
                let variant = optimized(results);
                let cell = &mut results.items[0].variants[variant].latency[0];
                cell.ratio.as_mut().unwrap().lo = 1_000.0;
            }),
            words(&|results| {
                let variant = optimized(results);
                let cell = &mut results.items[0].variants[variant].latency[0];
                cell.judged.as_mut().unwrap().lo *= 0.99;
            }),
            words(&|results| {
                let variant = optimized(results);
                results.items[0].variants[variant].latency[0].judged = None;
            }),
            words(&|results| {
                let variant = optimized(results);
                results.items[0].variants[variant].latency[0].variant.p50 = -3.0;
            }),
            words(&|results| {
                let variant = optimized(results);
                results.items[0].variants[variant].latency[0].rounds = usize::MAX;
            }),
            words(&|results| {
                let variant = optimized(results);
                let claim = &mut results.items[0].variants[variant].claims[0];
                claim.undecided = Some("last-page: 1.00x".to_owned());
            }),
            words(&|results| {
                let grown = |v: &VariantEvidence| !v.growth.is_empty();
                let mut items = results.items.iter_mut();
                let grown = items.find_map(|item| item.variants.iter_mut().find(|v| grown(v)));
                grown.unwrap().growth[0].slope = -99.0;
            }),
            words(&|results| results.items[0].number = 14),
            words(&|results| {
                results.items[0].variants.pop();
            }),
            words(&|results| results.items.push(results.items[0].clone())),
            words(&|results| {
                results.targets.pop();
            }),
            words(&|results| results.targets.push(results.targets[0].clone())),
            words(&|results| results.flows[0].mean = f64::NAN),
            words(&|results| results.flows[0].p95.value *= 0.99),
            words(&|results| results.flows[0].windows.clear()),
            words(&|results| results.flows[0].target_ms = Some(1e9)),
            words(&|results| results.flows.push(results.flows[0].clone())),
            words(&|results| results.targets[0].target_ms = 1e9),
            words(&|results| results.flows[0].p95.value = 0.0),
            words(&|results| results.flows[0].errors = results.flows[0].requests + 1),
            words(&|results| results.flows[0].verdict = Verdict::NoEffect),
            words(&|results| results.flows[0].users = Some(0)),
            words(&|results| results.flows[0].rate = Some(5.0)),
            words(&|results| results.flows[0].generator_share = Some(-3.0)),
            words(&|results| results.flows[0].throughput = 1e9),
            words(&|results| {
                let answers = results.items[0].variants[0].answers.as_mut().unwrap();
                answers.differing = answers.checked + 1;
            }),
        ]
        .join("\n")
    );
}
