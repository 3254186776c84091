//! Earlier runs: `verdict compare`, `verdict history`, and what a run says of the one before.

use std::path::Path;
use std::process::Command;

use verdict_audit::evidence::{Results, SCHEMA};
use verdict_reports::json;

use crate::faults::generated;

/// Runs `verdict` with its output folder in `target`: its exit code, and all that it said.
fn verdict(target: &Path, words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(words)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Writes results; the file's name.
fn written(folder: &Path, results: &Results) -> String {
    let file = folder.join(&results.run.id).with_extension("json");
    json::write(&file, results).unwrap();
    file.display().to_string()
}

fn day(number: i64) -> Results {
    let mut results = generated(&format!("day-{number}"));
    results.run.time += chrono::TimeDelta::days(number);
    results
}

fn working_more(mut results: Results) -> Results {
    for variant in &mut results.items[0].variants {
        let counters = variant.work.iter_mut().map(|work| &mut work.counters);
        for counter in counters.flat_map(|counters| counters.values_mut()) {
            *counter *= 3.0;
        }
    }
    results.judge();
    results
}

#[test]
fn two_runs_are_compared_and_what_is_not_alike_is_refused() {
    let target = tempfile::tempdir().unwrap();
    let write = |results: &Results| written(target.path(), results);
    let (before, same) = (write(&day(0)), write(&day(1)));
    let (code, said) = verdict(target.path(), &["compare", &before, &same]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("worse: none"), "{said}");

    let worse = write(&working_more(day(2)));
    let (code, said) = verdict(target.path(), &["compare", &before, &worse]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("rows read"), "{said}");
    let (code, said) = verdict(target.path(), &["compare", &worse, &before]);
    assert_eq!(code, 0, "{said}");

    let mut other = day(3);
    other.run.scale = "nightly".to_owned();
    let other = write(&other);
    let (code, said) = verdict(target.path(), &["compare", &before, &other]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("scale") && said.contains("--anyway"),
        "{said}"
    );
    let (code, said) = verdict(target.path(), &["compare", &before, &other, "--anyway"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("not alike") && said.contains("nightly"),
        "{said}"
    );

    let (code, said) = verdict(target.path(), &["compare", &before]);
    assert_eq!(code, 66, "{said}");
}

#[test]
fn older_results_are_compared_and_newer_ones_refused() {
    let target = tempfile::tempdir().unwrap();
    let of_schema = |schema: u32| {
        let mut results = day(schema.into());
        results.schema = schema;
        written(target.path(), &results)
    };
    let (now, older, newer) = (
        of_schema(SCHEMA),
        of_schema(SCHEMA - 1),
        of_schema(SCHEMA + 1),
    );
    let (code, said) = verdict(target.path(), &["compare", &older, &now]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = verdict(target.path(), &["compare", &now, &newer]);
    assert_eq!(code, 65, "{said}");
}

#[test]
fn a_history_is_added_to_shown_and_taken_over() {
    let target = tempfile::tempdir().unwrap();
    for number in 0..8 {
        let results = match number {
            0..4 => day(number),
            _ => working_more(day(number)),
        };
        let file = written(target.path(), &results);
        let (code, said) = verdict(target.path(), &["history", "add", &file]);
        assert_eq!(code, 0, "{said}");
    }
    let item = day(0).items[0].id.to_string();
    let (code, said) = verdict(target.path(), &["history", "show", &item]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("2026-01-09"), "the first run after: {said}");

    let history = target.path().join("verdict/history");
    let elsewhere = target.path().join("elsewhere");
    let (history, elsewhere) = (history.to_str().unwrap(), elsewhere.to_str().unwrap());
    let import = ["history", "import", history, "--folder", elsewhere];
    let (code, said) = verdict(target.path(), &import);
    assert!(code == 0 && said.contains("8 runs taken over"), "{said}");
    let (code, said) = verdict(target.path(), &import);
    assert!(code == 0 && said.contains("0 runs taken over, 8"), "{said}");
    for (words, due) in [
        (["history", "show", "nothing"], 64),
        (["history", "import", "/nowhere"], 66),
        (["history", "import", "/dev/null"], 65),
    ] {
        let (code, said) = verdict(target.path(), &words);
        assert_eq!(code, due, "{said}");
    }
}

#[test]
fn what_is_written_last_is_said_to_differ_from_the_one_before() {
    let target = tempfile::tempdir().unwrap();
    let parts = |number: i64, more: bool| {
        ["a", "b"].map(|part| {
            let mut results = day(number);
            results.run.id = format!("{number}{part}");
            if more {
                results = working_more(results);
            }
            written(target.path(), &results)
        })
    };
    let mut said = String::new();
    for (number, more) in [(0, false), (1, true)] {
        let [one, other] = parts(number, more);
        said = verdict(target.path(), &["merge", &one, &other]).1;
        assert_eq!(said.contains("since your last run"), more, "{said}");
    }
    let words = said.split("since your last run").nth(1).unwrap();
    assert!(words.contains("rows read"), "{words}");

    // What is damaged is told, and takes nothing along.
    let damaged = target
        .path()
        .join("verdict/history/20260106T235959000Z-x.json");
    std::fs::write(&damaged, "{").unwrap();
    let [one, other] = parts(2, false);
    let (code, said) = verdict(target.path(), &["merge", &one, &other]);
    assert!([0, 1].contains(&code), "{said}");
    assert!(said.contains("not kept in the history"), "{said}");
    assert!(said.contains("results:"), "{said}");
}
