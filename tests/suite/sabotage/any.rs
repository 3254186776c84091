//! Faults that any operation can have, put into every one that is on the docket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use verdict_audit::VariantName;
use verdict_audit::evidence::Answers;
use verdict_scenarios::court::Court;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::operation::{Answer, AnyOperation, Between, Check, Hands, Ladder, Leaves};
use verdict_scenarios::tally::Tally;

use super::timed::timed;
use super::{EFFORT, SOUND, with_fix};
use crate::common::Chance;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// A copy is answered of what was asked for so often.
    Kept(u64),
    /// In one call of so many, the answer of the call before.
    Mixed(u64),
    /// After so many calls, the answer of the last of them.
    Exhausted(u64),
}

struct Faulty {
    fault: Fault,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    copies: HashMap<String, (u64, Option<Answer>)>,
    previous: Option<Answer>,
}

impl Faulty {
    fn hands(fault: Fault) -> Arc<Self> {
        let chance = match fault {
            Fault::Mixed(one_in) => Chance::new(one_in, 0),
            _ => Chance::new(1, 0),
        };
        Arc::new(Self {
            fault,
            state: Mutex::new(State {
                chance,
                copies: HashMap::new(),
                previous: None,
            }),
        })
    }

    /// Whether more than one thing was asked.
    fn was_asked_more(&self) -> bool {
        self.state.lock().unwrap().copies.len() > 1
    }

    /// Whether everything was asked so often that copies stood long before the last write between.
    fn has_copies(&self) -> bool {
        let state = self.state.lock().unwrap();
        match self.fault {
            Fault::Kept(often) => state.copies.values().all(|copy| copy.0 >= 2 * often),
            _ => false,
        }
    }
}

impl Hands for Faulty {
    fn pass(&self, variant: &VariantName, request: &str, answer: Answer) -> Answer {
        if *variant != VariantName::Optimized {
            return answer;
        }
        let mut state = self.state.lock().unwrap();
        let strikes = state.chance.strikes();
        match self.fault {
            Fault::Nothing => answer,
            Fault::Kept(often) => {
                let copy = state.copies.entry(request.to_owned()).or_default();
                copy.0 += 1;
                if copy.0 >= often {
                    copy.1.get_or_insert_with(|| Arc::clone(&answer));
                }
                copy.1.clone().unwrap_or(answer)
            }
            Fault::Mixed(_) => {
                let previous = state.previous.replace(Arc::clone(&answer));
                previous.filter(|_| strikes).unwrap_or(answer)
            }
            Fault::Exhausted(after) => {
                state.copies.entry(request.to_owned()).or_default();
                if state.chance.calls <= after {
                    state.previous = Some(Arc::clone(&answer));
                }
                state.previous.clone().unwrap_or(answer)
            }
        }
    }
}

/// The answers of an operation with a fault, checked.
fn checked(court: &Court<'_>, operation: &dyn AnyOperation, fault: Fault) -> Answers {
    let optimized = VariantName::Optimized;
    let store = court.session.store(&optimized);
    let check = Check {
        oracle: court.session.oracle(),
        store: &store,
        calls: &store,
        variant: &optimized,
        effort: match fault {
            Fault::Nothing => SOUND,
            _ => EFFORT,
        },
        seed: 11,
        until_wrong: true,
    };
    let mut tally = Tally::default();
    let operation = operation.through(Faulty::hands(fault));
    let checked = operation.check(check, &mut tally);
    court.runtime.block_on(checked).unwrap();
    assert!(tally.checked() > 0);
    tally.into_answers()
}

/// Notes a fault that passed; what is sound has to.
fn note(fault: Fault, due: bool, answers: &Answers, what: &str, passed: &mut Vec<String>) {
    let seen = answers.differing > 0;
    assert!(!seen || fault != Fault::Nothing, "{what}: {answers:?}");
    if due && !seen {
        passed.push(format!("{fault:?} in {what}"));
    }
}

#[test]
fn of_every_operation_that_is_checked_and_timed() {
    let (mut passed, mut kept_late) = (Vec::new(), 0);
    for item in ITEMS {
        with_fix(*item, |court| {
            for operation in item.operations().iter().filter(|of| !of.aside()) {
                let what = format!("{} {}", item.id(), operation.name());
                // What writes is never asked the same twice, and where nothing makes another
                // answer right a copy is as good as the answer.
                let reads =
                    operation.leaves() == Leaves::Nothing && operation.between() == Between::Drawn;
                let kept = [Fault::Kept(4)];
                let kept = kept.into_iter().filter(|_| reads);
                let checks = [Fault::Nothing, Fault::Mixed(50)];
                for fault in checks.into_iter().chain(kept) {
                    let answers = checked(court, &**operation, fault);
                    let due = fault != Fault::Nothing;
                    note(fault, due, &answers, &what, &mut passed);
                }
                // Of all events together little is asked in a cell's time.
                let often = match operation.ladder() {
                    Ladder::Rows => 4,
                    Ladder::Events => 2,
                };
                let late = [Fault::Kept(often)];
                let late = late.into_iter().filter(|_| reads);
                let times = [Fault::Nothing, Fault::Exhausted(20)];
                for fault in times.into_iter().chain(late) {
                    let faulty = Faulty::hands(fault);
                    let operation = operation.through(Arc::clone(&faulty) as Arc<dyn Hands>);
                    let answers = timed(court, &*operation);
                    let what = format!("{what}, timed");
                    // Of a write that is the same each time one answer is as good as another.
                    let due = match fault {
                        Fault::Exhausted(_) => reads || faulty.was_asked_more(),
                        // A machine may be too slow for that in so short a time.
                        _ => faulty.has_copies(),
                    };
                    kept_late += usize::from(due && matches!(fault, Fault::Kept(_)));
                    note(fault, due, &answers, &what, &mut passed);
                }
            }
        });
    }
    assert!(passed.is_empty(), "not caught: {passed:#?}");
    assert!(kept_late > 0, "no timing was long enough");
}
