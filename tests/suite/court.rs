//! What the tests of trials share: a session on the smoke world, one at a time.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use criterion::Criterion;
use verdict_audit::evidence::{ItemEvidence, VariantEvidence};
use verdict_audit::{Finding, VariantName, Warning};
use verdict_scenarios::Error;
use verdict_scenarios::court::{Clockwork, Court, Watcher};
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;
use verdict_scenarios::session::{Depth, Session};

use crate::common::{engines, runtime, world};

/// The step that the trial is at, with its variant: `optimized: work`.
static STEP: Mutex<String> = Mutex::new(String::new());

/// The step that the trial is at, with its variant: `optimized: work`.
pub fn step() -> String {
    STEP.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Noting;

impl Watcher for Noting {
    fn step(&self, _: &str, variant: &VariantName, step: &str) {
        *STEP.lock().unwrap_or_else(PoisonError::into_inner) = format!("{variant}: {step}");
    }
    fn warn(&self, warning: Warning) {
        println!("{warning}");
    }
}

/// Sessions have sides of fixed names, so one is open at a time.
static COURT: Mutex<()> = Mutex::new(());

/// Holds a court of the docket's items.
pub fn in_court<T>(held: impl FnOnce(&Court<'_>) -> T) -> T {
    in_court_of(ITEMS, held)
}

/// Holds a court in which a change is priced by these items.
pub fn in_court_of<T>(items: &[&dyn Item], held: impl FnOnce(&Court<'_>) -> T) -> T {
    let _alone = COURT.lock().unwrap_or_else(PoisonError::into_inner);
    let world = world();
    let engines = runtime().block_on(engines());
    let session = runtime()
        .block_on(Session::open(engines, &world, Depth::Quick))
        .unwrap();
    let outcome = held(&Court {
        runtime: runtime(),
        session: &session,
        items,
        watcher: &Noting,
    });
    runtime().block_on(session.close()).unwrap();
    outcome
}

/// A finding with claims of the kinds that these tests need.
pub fn finding(toml: &str) -> Finding {
    toml::from_str(&format!(
        "number = 1
        id = \"made-up\"
        title = \"An item of a test\"
        source = \"nowhere\"
        {toml}"
    ))
    .unwrap()
}

/// Hears one item, alone on the docket, with a clock that has little time.
pub fn hear(item: &dyn Item, finding: &Finding) -> Result<ItemEvidence, Error> {
    let folder = tempfile::tempdir().unwrap();
    in_court_of(&[item], |court| {
        let mut clockwork = Clockwork {
            criterion: &mut short(folder.path()),
            selected: &|_| true,
        };
        court.hear(item, finding, Some(&mut clockwork))
    })
}

/// A clock that has little time.
pub fn short(folder: &Path) -> Criterion {
    Criterion::default()
        .without_plots()
        .output_directory(folder)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(20))
        .measurement_time(Duration::from_millis(300))
}

pub fn variant<'a>(evidence: &'a ItemEvidence, name: &VariantName) -> &'a VariantEvidence {
    let mut variants = evidence.variants.iter();
    variants.find(|variant| variant.name == *name).unwrap()
}
