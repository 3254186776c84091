//! Machine-made faults on real engines: a dozen of them, drawn by a seed, and that the bench can
//! say that one was not caught. All of them are `cargo bench --bench mutants`.

use std::cell::Cell;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use verdict_audit::VariantName;
use verdict_mutants::{Bench, Mutant, Outcome, Sender, Specimen, is_seen};
use verdict_scenarios::court::Court;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;

use crate::court::in_court;

/// Mutants that are judged of each item's fix.
const OF_EACH: usize = 4;

/// And of the functions that its change makes.
const FUNCTIONS_OF_EACH: usize = 12;

/// Lets `look` at each item's fix on a bench, its change applied.
fn on_benches(look: impl Fn(&dyn Item, &Bench<'_>)) {
    in_court(|court: &Court<'_>| {
        for item in ITEMS.iter().copied().filter(|item| is_seen(*item)) {
            let variants = item.variants();
            let (variant, change) = variants
                .iter()
                .find(|(variant, _)| *variant == VariantName::Optimized)
                .unwrap();
            let looked = court.scrutinise(item, variant, change, || {
                look(item, &Bench::open(court, item, variant, change)?.unwrap());
                Ok(())
            });
            looked.unwrap().unwrap();
        }
    });
}

#[test]
fn a_dozen_mutants_drawn_by_a_seed_are_caught() {
    on_benches(|item, bench| {
        let mut specimens = bench.specimens();
        specimens.retain(|specimen| specimen.sender == Sender::Calls);
        if specimens.is_empty() {
            // Nothing of it goes to PostgreSQL, whose statements are the ones that are changed.
            return;
        }
        specimens.shuffle(&mut ChaCha8Rng::seed_from_u64(8));
        let judged = specimens
            .iter()
            .filter(|specimen| bench.equivalent(&specimen.mutant).is_none())
            .map(|specimen| (&specimen.mutant, bench.judge(specimen).unwrap()))
            .filter(|(_, outcome)| !matches!(outcome, Outcome::Invalid(_)))
            .take(OF_EACH);
        let judged: Vec<_> = judged.collect();
        assert_eq!(judged.len(), OF_EACH, "{}", item.id());
        for (mutant, outcome) in judged {
            let caught = matches!(outcome, Outcome::Caught(_));
            assert!(caught, "{}: {mutant}", item.id());
        }
    });
}

#[test]
fn faults_in_the_functions_that_a_change_makes_are_caught() {
    let judged = Cell::new(0);
    on_benches(|item, bench| {
        let specimens = bench.specimens();
        let of_change = |specimen: &&Specimen| specimen.sender == Sender::Change;
        let Some(first) = specimens.iter().find(of_change) else {
            return;
        };
        let mut none = first.clone();
        none.mutant.text = format!("{} ", none.statement.text);
        assert_eq!(bench.judge(&none).unwrap(), Outcome::Survived);

        let functions = specimens.iter().filter(of_change).filter(|specimen| {
            let before = specimen.statement.text.trim_start().lines();
            let mut before = before.take(specimen.mutant.line);
            before.any(|line| line.contains("LANGUAGE plpgsql"))
        });
        let functions = functions.filter(|of| bench.equivalent(&of.mutant).is_none());
        let mut functions: Vec<_> = functions.collect();
        functions.shuffle(&mut ChaCha8Rng::seed_from_u64(8));
        for specimen in functions.into_iter().take(FUNCTIONS_OF_EACH) {
            let outcome = bench.judge(specimen).unwrap();
            let fails = matches!(outcome, Outcome::Caught(_) | Outcome::Invalid(_));
            assert!(fails, "{}: {}: {outcome:?}", item.id(), specimen.mutant);
            judged.set(judged.get() + usize::from(matches!(outcome, Outcome::Caught(_))));
        }
    });
    assert!(judged.get() >= OF_EACH, "{}", judged.get());
}

#[test]
fn a_statement_without_a_fault_survives_and_one_that_makes_no_sense_is_none() {
    on_benches(|item, bench| {
        let specimen = bench.specimens().remove(0);
        let of = |text: String| Specimen {
            mutant: Mutant {
                text,
                ..specimen.mutant.clone()
            },
            ..specimen.clone()
        };
        let right = format!("{} ", specimen.statement.text);
        let outcome = bench.judge(&of(right)).unwrap();
        assert_eq!(outcome, Outcome::Survived, "{}", item.id());
        let outcome = bench.judge(&of("SELECT FROM nowhere".to_owned())).unwrap();
        let refused = matches!(&outcome, Outcome::Invalid(words) if words.contains("nowhere"));
        assert!(refused, "{}: {outcome:?}", item.id());
    });
}
