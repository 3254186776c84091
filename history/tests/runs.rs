//! Runs that are held against each other and kept in a folder.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says where it failed"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::{EngineInfo, Host, Run};
use verdict_audit::{Counter, Verdict};
use verdict_history::record::{Judged, SCHEMA};
use verdict_history::{Comparison, Figure, Folder, FolderError, Key, Measure, Record, Trend, Way};

const ROUNDS: usize = 25;
/// Noise of one round, of the logarithm of a ratio.
const SPREAD: f64 = 0.05;

fn key(place: &str, measure: Measure) -> Key {
    Key {
        subject: "message-history".to_owned(),
        variant: "optimized".to_owned(),
        place: place.to_owned(),
        measure,
    }
}

fn ratio(place: &str, speed_up: f64, random: &mut ChaCha8Rng) -> Figure {
    let mut noise = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| speed_up * (SPREAD * noise()).exp())
        .collect();
    let of = verdict_audit::ratio::geometric_mean(&rounds).unwrap();
    Figure {
        key: key(place, Measure::SpeedUp),
        value: of.value,
        interval: Some([of.lo, of.hi]),
        rounds: ROUNDS,
    }
}

/// A run with twenty ratios, one of which is another one, and a counter.
fn run(number: u64, (other, speed_up): (usize, f64), statements: f64) -> Record {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut figures: Vec<Figure> = (0..20)
        .map(|cell| {
            let speed_up = if cell == other { speed_up } else { 2.0 };
            ratio(&format!("page at n = {cell}"), speed_up, &mut random)
        })
        .collect();
    figures.push(Figure {
        key: key("page at n = 0", Measure::Work(Counter::Statements)),
        value: statements,
        interval: None,
        rounds: 0,
    });
    figures.sort_by(|one, other| one.key.cmp(&other.key));
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    Record {
        schema: SCHEMA,
        run: Run {
            id: format!("run{number}"),
            time: start + TimeDelta::hours(i64::try_from(number).unwrap()),
            commit: Some(format!("{number:07x}")),
            host: Host {
                name: "here".to_owned(),
                cpus: 2,
                cpu: "one".to_owned(),
                memory: 1 << 34,
                os: "Linux".to_owned(),
            },
            engines: vec![EngineInfo {
                name: "postgres".to_owned(),
                version: "18.1".to_owned(),
                mode: "embedded".to_owned(),
                settings: BTreeMap::from([("fsync".to_owned(), "on".to_owned())]),
            }],
            scale: "smoke".to_owned(),
            seed: 1,
            sizes: BTreeMap::from([("users".to_owned(), 100)]),
            aa: None,
            warnings: Vec::new(),
        },
        figures,
        verdicts: vec![Judged {
            subject: "message-history".to_owned(),
            variant: "optimized".to_owned(),
            claim: "speed-up".to_owned(),
            verdict: if speed_up < 2.0 {
                Verdict::FallsShort
            } else {
                Verdict::Confirmed
            },
        }],
    }
}

const ALIKE: (usize, f64) = (0, 2.0);

#[test]
fn what_is_slower_or_works_more_is_told_and_nothing_else() {
    let comparison = Comparison::of(&run(1, ALIKE, 3.0), &run(2, (7, 1.5), 9.0));
    assert!(comparison.apart.is_empty());
    let worse: Vec<String> = comparison
        .that_went(Way::Worse)
        .map(|change| change.before.key.to_string())
        .collect();
    assert_eq!(
        worse,
        [
            "message-history, optimized, page at n = 0: statements",
            "message-history, optimized, page at n = 7: speed-up",
        ]
    );
    assert_eq!(comparison.that_went(Way::Better).count(), 0);
    assert_eq!(comparison.turns.len(), 1);
    assert_eq!(
        (comparison.turns[0].before, comparison.turns[0].after),
        (Verdict::Confirmed, Verdict::FallsShort)
    );
    let back = Comparison::of(&run(2, (7, 1.5), 9.0), &run(1, ALIKE, 3.0));
    assert_eq!(back.that_went(Way::Better).count(), 2);
    assert_eq!(back.that_went(Way::Worse).count(), 0);
}

#[test]
fn two_runs_of_the_same_code_seldom_differ() {
    let differ = (0..200)
        .filter(|pair| {
            let comparison =
                Comparison::of(&run(2 * pair, ALIKE, 3.0), &run(2 * pair + 1, ALIKE, 3.0));
            comparison
                .changes
                .iter()
                .any(|change| change.way != Way::Same)
        })
        .count();
    assert!(differ <= 20, "{differ} of 200");
}

#[test]
fn other_worlds_machines_and_engines_are_told_apart() {
    let before = run(1, ALIKE, 3.0);
    let mut after = run(2, ALIKE, 3.0);
    after.run.scale = "default".to_owned();
    after.run.sizes.insert("users".to_owned(), 5_000);
    after.run.host.cpu = "another".to_owned();
    after.run.engines[0].version = "15.18".to_owned();
    after.run.engines[0]
        .settings
        .insert("fsync".to_owned(), "off".to_owned());
    let apart = Comparison::of(&before, &after).apart;
    let what: Vec<&str> = apart.iter().map(|one| one.what).collect();
    assert_eq!(what, ["scale", "world", "processor", "engine", "setting"]);
    assert_eq!(
        apart[4].to_string(),
        "setting: postgres fsync = on before, off after"
    );
}

#[test]
fn a_folder_keeps_each_run_once_and_finds_the_last_of_its_kind() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path().join("history"));
    assert!(folder.records().unwrap().is_empty());
    let mut other = run(3, ALIKE, 3.0);
    other.run.scale = "default".to_owned();
    for record in [run(2, ALIKE, 3.0), run(1, ALIKE, 3.0), other] {
        assert!(folder.add(&record).unwrap());
        assert!(!folder.add(&record).unwrap());
    }
    let kept = folder.records().unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(kept[0].run.id, "run1");
    let written = serde_json::to_string(&kept[0]).unwrap();
    assert_eq!(written, serde_json::to_string(&run(1, ALIKE, 3.0)).unwrap());
    let last = folder.last_before(&run(4, ALIKE, 3.0)).unwrap().unwrap();
    assert_eq!(last.run.id, "run2");
    let last = folder.last_before(&run(2, ALIKE, 3.0)).unwrap().unwrap();
    assert_eq!(last.run.id, "run1");
    assert!(folder.last_before(&run(1, ALIKE, 3.0)).unwrap().is_none());
}

#[test]
fn what_is_no_record_is_told_with_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    folder.add(&run(1, ALIKE, 3.0)).unwrap();
    let file = place.path().join("20990101T000000000Z-x.json");
    for (text, newer) in [
        ("", false),
        ("{}", false),
        (r#"{"schema": 1}"#, false),
        (r#"{"schema": 99}"#, true),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = folder.records().unwrap_err();
        assert_eq!(matches!(error, FolderError::Newer { .. }), newer, "{error}");
    }
}

#[test]
fn a_change_is_found_at_the_run_that_brought_it() {
    let runs: Vec<Record> = (0..40)
        .map(|number| match number {
            0..25 => run(number, ALIKE, 3.0),
            _ => run(number, (7, 1.6), 4.0),
        })
        .collect();
    for trend in Trend::all(&runs, |_| true) {
        let place = trend.key.place.as_str();
        let due = match (place, trend.key.measure) {
            ("page at n = 7", _) | (_, Measure::Work(_)) => vec![25],
            _ => Vec::new(),
        };
        assert_eq!(trend.changes, due, "{}", trend.key);
        assert_eq!(trend.points[25].commit.as_deref(), Some("0000019"));
    }
}
