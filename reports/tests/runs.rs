//! Runs beside each other, as the terminal shows them.

mod common;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use verdict_audit::FlowId;
use verdict_audit::evidence::{Compared, Results, VariantEvidence};
use verdict_history::{Comparison, Folder, Key, Measure, Record, Trend, Way};
use verdict_reports::comparison_text;

/// Of one item and one flow.
static RESULTS: LazyLock<Results> = LazyLock::new(|| {
    let mut results = common::results();
    results.items.truncate(1);
    results.flows.retain(|row| row.id == FlowId::History);
    results.flow_ratios.retain(|row| row.id == FlowId::History);
    results
});

fn later(number: i64, slower: f64) -> Record {
    let mut results = RESULTS.clone();
    results.run.id = format!("{number}");
    results.run.time += chrono::TimeDelta::days(number);
    for item in &mut results.items {
        slow_down(&mut item.variants, slower);
    }
    Record::of(&results)
}

fn slow_down(variants: &mut [VariantEvidence], slower: f64) {
    let latency = variants.iter_mut().flat_map(|variant| &mut variant.latency);
    for ratio in latency.filter_map(|latency| latency.ratio.as_mut()) {
        ratio.value /= slower;
        ratio.lo /= slower;
        ratio.hi /= slower;
    }
}

fn speed_ups(record: &Record) -> usize {
    let timed = |key: &Key| key.measure == Measure::SpeedUp;
    record.figures.iter().filter(|one| timed(&one.key)).count()
}

#[test]
fn a_record_has_every_figure_of_its_results_once() {
    let results = &*RESULTS;
    let record = Record::of(results);
    let items = results.items.iter().flat_map(|item| &item.variants);
    let ratios = items.flat_map(|variant| &variant.latency);
    let ratios = ratios.filter(|latency| latency.ratio.is_some()).count();
    let flows = results.flow_ratios.iter();
    let flows = flows.filter(|row| row.of == Compared::Sides);
    let flows = flows.filter(|row| row.p50.is_some()).count();
    assert_eq!(speed_ups(&record), ratios + flows);
    let keys: BTreeSet<&Key> = record.figures.iter().map(|one| &one.key).collect();
    assert_eq!(keys.len(), record.figures.len());
    let text = serde_json::to_string(&record).unwrap();
    let read: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(read.figures.len(), record.figures.len());
    for (read, own) in read.figures.iter().zip(&record.figures) {
        assert_eq!(read.key, own.key);
        assert!((read.value - own.value).abs() <= 1e-6 * own.value.abs());
    }
}

#[test]
fn two_runs_are_shown_side_by_side() {
    let (before, after) = (later(0, 1.0), later(1, 1.5));
    let comparison = Comparison::of(&before, &after);
    assert!(comparison.that_went(Way::Worse).next().is_some());
    assert!(comparison.that_went(Way::Better).next().is_none());
    insta::assert_snapshot!(
        "compare",
        comparison_text::render(&before, &after, &comparison)
    );
    insta::assert_snapshot!("since", comparison_text::since(&before, &comparison));
    let same = Comparison::of(&before, &later(1, 1.0));
    assert!(same.changes.iter().all(|change| change.way == Way::Same));
}

#[test]
fn a_history_shows_since_when() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    for number in 0..8 {
        let slower = if number < 4 { 1.0 } else { 1.5 };
        folder.add(&later(number, slower)).unwrap();
    }
    let records = folder.records().unwrap();
    let trends = Trend::all(&records, |key| {
        key.measure == Measure::SpeedUp && key.variant == "optimized"
    });
    insta::assert_snapshot!("trends", comparison_text::trends(&trends));
}
