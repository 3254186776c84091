//! What the tests of trials share: a session on the smoke world, one at a time.

use std::sync::Mutex;

use verdict_audit::{VariantName, Warning};
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;
use verdict_scenarios::session::{Depth, Session};
use verdict_scenarios::trial::{Court, Watcher};

use crate::common::{engines, runtime, world};

struct Silent;

impl Watcher for Silent {
    fn step(&self, _: &str, _: &VariantName, _: &str) {}
    fn warn(&self, warning: Warning) {
        println!("{warning}");
    }
}

/// Sessions have sides of fixed names, so one is open at a time.
static COURT: Mutex<()> = Mutex::new(());

/// Holds a court of the docket's items.
pub fn in_court<T>(held: impl FnOnce(&Court<'_>) -> T) -> T {
    in_court_of(&ITEMS, held)
}

/// Holds a court in which a change is priced by these items.
pub fn in_court_of<T>(items: &[&dyn Item], held: impl FnOnce(&Court<'_>) -> T) -> T {
    let _alone = COURT
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let world = world();
    let engines = runtime().block_on(engines());
    let session = runtime()
        .block_on(Session::open(engines, &world, Depth::Quick))
        .unwrap();
    let outcome = held(&Court {
        runtime: runtime(),
        session: &session,
        items,
        watcher: &Silent,
    });
    runtime().block_on(session.close()).unwrap();
    outcome
}
