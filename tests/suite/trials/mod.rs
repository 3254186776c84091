//! The trials themselves, on the smoke world: what they find, and that they leave it as it was.

mod all;
mod events;
mod messages;
mod tables;
mod watching;

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use criterion::Criterion;
use verdict_audit::evidence::{ItemEvidence, PlanMode, VariantEvidence};
use verdict_audit::{Catalogue, Counter, VariantName};
use verdict_scenarios::court::Clockwork;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;
use verdict_seed::postgres_checksums;

use crate::common::SETS;
use crate::court::in_court;

/// The items that are timed here, of each engine one and one that writes. `sabotage::any` times the
/// fix of every item, at one place of each operation.
const TIMED: [&str; 4] = [
    "message-send/",
    "pagination/",
    "engagement-rollup/",
    "cache/",
];

/// Every item's evidence, gathered once, by a court on each set of engines.
static HEARD: LazyLock<Vec<ItemEvidence>> = LazyLock::new(|| {
    let left = &Mutex::new(ITEMS.iter().copied());
    let next = || left.lock().unwrap().next();
    std::thread::scope(|scope| {
        let courts = [(); SETS].map(|()| scope.spawn(|| hear_some(next)));
        courts
            .into_iter()
            .flat_map(|court| court.join().unwrap())
            .collect()
    })
});

/// Hears items for as long as there is a next one.
fn hear_some(next: impl Fn() -> Option<&'static dyn Item>) -> Vec<ItemEvidence> {
    let folder = tempfile::tempdir().unwrap();
    let mut criterion = Criterion::default()
        .without_plots()
        .output_directory(folder.path())
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(400));
    in_court(|court| {
        let mut clockwork = Clockwork {
            criterion: &mut criterion,
            selected: &|bench| TIMED.iter().any(|item| bench.starts_with(item)),
            timed: true,
        };
        for item in ITEMS {
            let rows = court.session.add_hostile(item.hostile());
            court.runtime.block_on(rows).unwrap();
        }
        let sums = || {
            [VariantName::Baseline, VariantName::Optimized].map(|side| {
                let pool = court.session.store(&side).postgres;
                let sums = postgres_checksums(&pool, None);
                court.runtime.block_on(sums).unwrap()
            })
        };
        let before = sums();
        let heard = std::iter::from_fn(next)
            .map(|item| {
                let finding = Catalogue::builtin().item(item.id()).unwrap();
                court.hear(item, finding, Some(&mut clockwork)).unwrap()
            })
            .collect();
        assert_eq!(sums(), before, "rows as they were, on both sides");
        heard
    })
}

fn heard(item: &str, variant: &str) -> &'static VariantEvidence {
    HEARD
        .iter()
        .find(|evidence| evidence.id.as_str() == item)
        .and_then(|evidence| {
            let mut variants = evidence.variants.iter();
            variants.find(|heard| heard.name.to_string() == variant)
        })
        .unwrap()
}

/// A counter of an operation along its rungs.
fn counted(
    variant: &VariantEvidence,
    operation: &str,
    plan_mode: PlanMode,
    counter: Counter,
) -> Vec<f64> {
    variant
        .work
        .iter()
        .filter(|work| work.operation.as_str() == operation && work.plan_mode == plan_mode)
        .filter(|work| work.at.is_rung())
        .map(|work| work.counters[&counter])
        .collect()
}

/// What an item declares of a variant, in one text.
fn declared(item: &str, variant: &str) -> String {
    let answers = heard(item, variant).answers.as_ref().unwrap();
    answers.declared.join("\n")
}
