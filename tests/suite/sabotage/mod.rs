//! Known faults, put into right variants: each is caught.

mod any;
mod conversations;
mod engagement;
mod images;
mod months;
mod pages;
mod sabotaged;
mod searches;
mod sends;
mod timed;

use std::time::Duration;

use verdict_audit::VariantName;
use verdict_audit::evidence::Answers;
use verdict_scenarios::court::Court;
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{Check, Effort, Ladder, Operation, erase};
use verdict_scenarios::session::Role;
use verdict_scenarios::tally::Tally;

use self::sabotaged::{Fault, FaultOf, Sabotaged};
use crate::court::in_court;

/// A full trial's; a busy machine is no reason to ask less.
const EFFORT: Effort = Effort {
    answers: 300,
    least: 300,
    patience: Duration::from_secs(300),
    crowds: 4,
};

/// That a sound one passes all of it is what the trials show; here, that what carries the faults is
/// none.
const SOUND: Effort = Effort {
    answers: 30,
    least: 30,
    crowds: 1,
    ..EFFORT
};

/// How often a fault strikes: always, and in one call of fifty.
const RATES: [u64; 2] = [1, 50];

/// Holds a court in which an item's fix stands on the trial side.
fn with_fix(item: &dyn Item, held: impl FnOnce(&Court<'_>)) {
    in_court(|court| {
        let (_, fix) = item.variants().pop().unwrap();
        let session = court.session;
        court
            .runtime
            .block_on(session.add_hostile(item.hostile()))
            .unwrap();
        let operations = item.operations();
        if operations.iter().any(|of| of.ladder() == Ladder::Events) {
            court.runtime.block_on(session.cut()).unwrap();
        }
        for change in [item.ground(), fix] {
            let applied = session.apply(Role::Trial, &change);
            court.runtime.block_on(applied).unwrap();
        }
        held(court);
    });
}

/// The answers of the optimized variant of an operation.
fn check<O: Operation>(court: &Court<'_>, operation: O, effort: Effort) -> Answers {
    let optimized = VariantName::Optimized;
    let mut tally = Tally::default();
    let store = court.session.store(&optimized);
    let check = Check {
        oracle: court.session.oracle(),
        store: &store,
        calls: &store,
        variant: &optimized,
        effort,
        seed: 7,
        until_wrong: true,
    };
    court
        .runtime
        .block_on(erase(operation).check(check, &mut tally))
        .unwrap();
    tally.into_answers()
}

/// Requires that copies are caught, which are answered whenever there is one.
fn each_kept_is_caught<O>(
    court: &Court<'_>,
    operation: impl Fn() -> O,
    faults: &[(&str, FaultOf<O>)],
) where
    O: Operation,
    O::Answer: Clone + PartialEq,
{
    let caught = |fault, effort| {
        let operation = Sabotaged::new(operation(), fault, 1);
        check(court, operation, effort).differing > 0
    };
    // Dropped by every write, it is right.
    assert!(!caught(Fault::Copied(1, |_| true), SOUND));
    let passed: Vec<&str> = faults
        .iter()
        .filter(|(_, fault)| !caught(*fault, EFFORT))
        .map(|(name, _)| *name)
        .collect();
    assert!(passed.is_empty(), "not caught: {passed:?}");
}

/// Requires that a sound operation passes and that each fault is caught, however seldom it
/// strikes.
fn each_is_caught<O, const N: usize>(
    court: &Court<'_>,
    operation: impl Fn() -> O,
    faults: [(&str, FaultOf<O>); N],
) where
    O: Operation,
    O::Answer: Clone + PartialEq,
{
    let sound = check(court, Sabotaged::new(operation(), Fault::None, 1), SOUND);
    assert_eq!(sound.differing, 0, "{sound:?}");
    let mut passed = Vec::new();
    for (name, fault) in faults {
        for one_in in RATES {
            let answers = check(court, Sabotaged::new(operation(), fault, one_in), EFFORT);
            if answers.differing == 0 {
                passed.push(format!("{name}, one in {one_in}"));
            }
        }
    }
    assert!(passed.is_empty(), "not caught: {passed:?}");
}
