//! What the tests of trials share: a session on the smoke world, one at a time on each set of
//! engines.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use criterion::Criterion;
use verdict_audit::evidence::{ItemEvidence, VariantEvidence};
use verdict_audit::{Finding, VariantName, Warning};
use verdict_scenarios::Error;
use verdict_scenarios::court::{Clockwork, Court, Watcher};
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;
use verdict_scenarios::session::{Depth, Session};

use crate::common::{SETS, runtime, set_of_engines, world};

struct Printing;

impl Watcher for Printing {
    fn step(&self, _: &str, _: &VariantName, _: &str) {}
    fn warn(&self, warning: Warning) {
        println!("{warning}");
    }
}

/// Sessions have sides of fixed names, so one is open at a time on a set of engines.
static COURTS: [Mutex<()>; SETS] = [const { Mutex::new(()) }; SETS];

/// Waits for a set of engines on which no session is open.
fn free() -> (usize, MutexGuard<'static, ()>) {
    loop {
        for (set, court) in COURTS.iter().enumerate() {
            match court.try_lock() {
                Ok(guard) => return (set, guard),
                Err(TryLockError::Poisoned(poisoned)) => return (set, poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Holds a court of the docket's items.
pub fn in_court<T>(held: impl FnOnce(&Court<'_>) -> T) -> T {
    in_court_of(ITEMS, held)
}

/// Holds a court in which a change is priced by these items.
pub fn in_court_of<T>(items: &[&dyn Item], held: impl FnOnce(&Court<'_>) -> T) -> T {
    let (set, _alone) = free();
    let world = world();
    let engines = runtime().block_on(set_of_engines(set));
    let session = runtime()
        .block_on(Session::open(engines, &world, Depth::Quick))
        .unwrap();
    let outcome = held(&Court {
        runtime: runtime(),
        session: &session,
        items,
        watcher: &Printing,
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
            timed: true,
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
