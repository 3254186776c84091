//! Machine-made faults on real engines: some of each item's, drawn by a seed, and that the bench
//! can say that one was not caught. All of them are `cargo bench --bench mutants`.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use verdict_audit::VariantName;
use verdict_mutants::{Bench, Kind, Mutant, Outcome, Sender, Sent, Specimen, is_seen};
use verdict_scenarios::court::Court;
use verdict_scenarios::docket::ITEMS;
use verdict_store::Engine;

use crate::court::in_court;

/// Mutants that are judged of the statements of each item's fix, and of the functions that its
/// change makes.
const OF_EACH: usize = 3;

/// Of the items of ClickHouse the one whose histories are the shortest.
const OF_CLICKHOUSE: &str = "feed-candidates";

#[test]
fn faults_drawn_by_a_seed_are_caught_and_what_is_none_is_not() {
    let (mut in_functions, mut legs) = (0, 0);
    in_court(|court: &Court<'_>| {
        for item in ITEMS.iter().copied().filter(|item| is_seen(*item)) {
            let variants = item.variants();
            let (variant, change) = variants
                .iter()
                .find(|(variant, _)| *variant == VariantName::Optimized)
                .unwrap();
            if change.touches_engine(Engine::ClickHouse) && item.id() != OF_CLICKHOUSE {
                continue;
            }
            let looked = court.scrutinise(item, variant, change, || {
                let bench = Bench::open(court, item, variant, change)?.unwrap();
                let mut specimens = bench.specimens();
                specimens.shuffle(&mut ChaCha8Rng::seed_from_u64(8));
                let (calls, changes): (Vec<_>, Vec<_>) = specimens
                    .into_iter()
                    .partition(|specimen| specimen.sender == Sender::Calls);
                let (functions, others): (Vec<_>, Vec<_>) =
                    changes.into_iter().partition(is_in_a_function);
                let of_unions: Vec<_> = others.into_iter().filter(is_leg_of_clickhouse).collect();
                legs += caught(item.id(), &bench, &of_unions);
                // Of some nothing is sent that could be changed.
                let due = if calls.is_empty() { 0 } else { OF_EACH };
                assert_eq!(caught(item.id(), &bench, &calls), due, "{}", item.id());
                in_functions += caught(item.id(), &bench, &functions);
                for some in [&calls, &functions] {
                    if let Some(specimen) = some.first() {
                        without_a_fault(item.id(), &bench, specimen);
                    }
                }
                Ok(())
            });
            looked.unwrap().unwrap();
        }
    });
    assert!(in_functions >= OF_EACH, "{in_functions}");
    assert_eq!(legs, OF_EACH, "of the unions that fill the feed's tables");
}

fn is_leg_of_clickhouse(specimen: &Specimen) -> bool {
    matches!(specimen.statement, Sent::ClickHouse(_)) && specimen.mutant.kind == Kind::Leg
}

fn is_in_a_function(specimen: &Specimen) -> bool {
    let lines = specimen.statement.text().trim_start().lines();
    let mut before = lines.take(specimen.mutant.line);
    before.any(|line| line.contains("LANGUAGE plpgsql"))
}

/// Judges the first of these that can be made and make a difference, each of which has to be
/// caught: how many.
fn caught(item: &str, bench: &Bench<'_>, specimens: &[Specimen]) -> usize {
    let differing = specimens
        .iter()
        .filter(|specimen| bench.equivalent(&specimen.mutant).is_none());
    let judged = differing
        .map(|specimen| (&specimen.mutant, bench.judge(specimen).unwrap()))
        .filter(|(_, outcome)| !matches!(outcome, Outcome::Invalid(_)))
        .take(OF_EACH);
    judged
        .inspect(|(mutant, outcome)| {
            let caught = matches!(outcome, Outcome::Caught(_));
            assert!(caught, "{item}: {mutant}: {outcome:?}");
        })
        .count()
}

/// A statement in which nothing is changed survives, and one that makes no sense is none.
fn without_a_fault(item: &str, bench: &Bench<'_>, specimen: &Specimen) {
    let of = |text: String| Specimen {
        mutant: Mutant {
            text,
            ..specimen.mutant.clone()
        },
        ..specimen.clone()
    };
    let right = format!("{} ", specimen.statement.text());
    assert_eq!(
        bench.judge(&of(right)).unwrap(),
        Outcome::Survived,
        "{item}"
    );
    let outcome = bench.judge(&of("SELECT FROM nowhere".to_owned())).unwrap();
    let refused = matches!(&outcome, Outcome::Invalid(words) if words.contains("nowhere"));
    assert!(refused, "{item}: {outcome:?}");
}
