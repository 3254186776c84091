//! What every item has to come to.

use std::path::Path;

use verdict_audit::evidence::{PlanMode, Plans};
use verdict_audit::{Catalogue, Counter};
use verdict_reports::gates::{self, Gates, Standing};
use verdict_scenarios::docket::{self, ITEMS};
use verdict_scenarios::schema::schema;
use verdict_scenarios::session::Role;
use verdict_store::Fault;

use super::{HEARD, counted, heard};
use crate::common::{runtime, world};
use crate::court::in_court;
use crate::faults::generated;

#[test]
fn every_variant_that_should_be_right_answers_as_the_generators_own_stream() {
    for item in HEARD.iter() {
        for name in ["baseline", "optimized"] {
            let heard = heard(item.id.as_str(), name);
            if name == "baseline" && heard.failure.is_some() {
                continue;
            }
            let answers = heard.answers.as_ref().unwrap();
            // Today's views add up versions.
            if (item.id.as_str(), name) == ("engagement-rollup", "baseline") {
                continue;
            }
            assert_eq!(answers.differing, 0, "{} {name}: {answers:?}", item.id);
        }
    }
}

#[test]
fn every_variant_that_runs_is_held_to_a_hundred_answers_at_least() {
    for item in HEARD.iter() {
        for variant in item.variants.iter().filter(|one| one.failure.is_none()) {
            let answers = variant.answers.as_ref().unwrap();
            let name = &variant.name;
            assert!(answers.checked >= 100, "{} {name}: {answers:?}", item.id);
        }
    }
}

#[test]
fn a_fix_that_takes_a_table_away_from_today_is_told() {
    let nightly = heard("engagement-rollup", "proposed-affinity");
    let today = nightly.additive.as_ref().unwrap();
    let first = today.first_difference.as_ref().unwrap();
    assert!(first.contains("user_author_90d"), "{today:?}");
}

#[test]
fn today_still_runs_on_every_schema_that_a_fix_makes() {
    for item in HEARD.iter() {
        let tried = docket::item(&item.id).unwrap().variants();
        let (_, change) = tried.last().unwrap();
        let fix = heard(item.id.as_str(), "optimized");
        // A fix that changes no schema leaves nothing that today could stumble over.
        assert_eq!(fix.additive.is_none(), change.is_none(), "{}", item.id);
        let Some(additive) = &fix.additive else {
            continue;
        };
        assert!(additive.checked > 0);
        assert_eq!(additive.differing, 0, "{}: {additive:?}", item.id);
    }
}

#[test]
fn the_fixes_read_no_more_rows_on_a_larger_rung_and_today_does() {
    for (item, operation) in [
        ("message-send", "send"),
        ("pagination", "posts"),
        ("pagination", "history"),
    ] {
        for mode in [PlanMode::Auto, PlanMode::Generic] {
            let of = |variant| counted(heard(item, variant), operation, mode, Counter::RowsRead);
            let rows = of("optimized");
            // Sending may still meet a dead version of the row it just updated; reading may not.
            let slack = if item == "message-send" { 1.0 } else { 0.0 };
            for pair in rows.windows(2) {
                let apart = (pair[0] - pair[1]).abs();
                assert!(apart <= slack, "{operation} {mode:?}: {rows:?}");
            }
            let today = of("baseline");
            for pair in today.windows(2) {
                assert!(pair[1] > 8.0 * pair[0], "{operation} {mode:?}: {today:?}");
            }
        }
        let fix = heard(item, "optimized");
        let automatic = counted(fix, operation, PlanMode::Auto, Counter::RowsRead);
        assert_eq!(automatic.len(), 2, "{operation} has two rungs here");
    }
}

#[test]
fn statements_are_the_calls_own_and_turns_are_the_pools_as_well() {
    for (item, operation, baseline) in [
        ("message-history", "first-page", 3.0),
        ("message-send", "send", 2.0),
        ("pagination", "posts", 1.0),
    ] {
        for (name, due) in [("baseline", baseline), ("optimized", 1.0)] {
            let of = |counter| counted(heard(item, name), operation, PlanMode::Auto, counter);
            for statements in of(Counter::Statements) {
                assert_eq!(statements, due, "{item} {name}");
            }
            // The pool asks a connection whether it lives before and after each statement.
            for turns in of(Counter::WireTurns) {
                assert_eq!(turns, 3.0 * due, "{item} {name}");
            }
        }
    }
    let one = |name| {
        let heard = heard("message-history", name);
        counted(heard, "one-connection", PlanMode::Auto, Counter::WireTurns)
    };
    assert_eq!((one("baseline"), one("optimized")), (vec![5.0], vec![3.0]));
}

#[test]
fn wal_is_told_without_full_page_images() {
    let fix = heard("message-send", "optimized");
    for wal in counted(fix, "send", PlanMode::Auto, Counter::WalBytes) {
        // A page image is up to 8 KiB; the rows and index entries of a message are not.
        assert!((200.0..5_000.0).contains(&wal), "{wal}");
    }
}

#[test]
fn forced_generic_plans_are_recorded_as_such() {
    let mut seen = 0;
    for item in HEARD.iter() {
        for work in item.variants.iter().flat_map(|variant| &variant.work) {
            if work.plan_mode == PlanMode::Generic {
                seen += 1;
                assert_eq!(work.plans, Some(Plans::Generic), "{} {work:?}", item.id);
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_operation_grows_by_itself() {
    let fit = |variant, operation: &str| {
        let heard = heard("pagination", variant);
        let mut fits = heard.growth.iter().filter(|growth| {
            growth.operation.as_str() == operation
                && growth.plan_mode == PlanMode::Auto
                && growth.counter == Counter::RowsRead
        });
        let fit = fits.next().unwrap();
        assert_eq!((fit.rungs, fits.count()), (2, 0), "{variant} {operation}");
        fit.slope
    };
    for operation in ["posts", "history"] {
        let (today, fixed) = (fit("baseline", operation), fit("optimized", operation));
        assert!(today > 0.8 && fixed < 0.1, "{operation}: {today} {fixed}");
    }
}

#[test]
fn latencies_are_recorded_on_both_sides_and_their_answers_looked_at() {
    let mut timed = 0;
    for item in HEARD.iter() {
        for latency in &heard(item.id.as_str(), "optimized").latency {
            timed += 1;
            assert!(
                latency.rounds >= 6 && latency.ratio.is_some(),
                "{latency:?}"
            );
            for side in [latency.baseline.unwrap(), latency.variant] {
                assert!(side.count > 0 && side.p50 > 1.0, "{latency:?}");
                assert!(side.p50 <= side.p95 && side.p95 <= side.p99, "{latency:?}");
            }
        }
    }
    assert!(timed > 0);
}

#[test]
fn every_claim_of_every_variant_has_a_verdict_with_a_reason() {
    for item in HEARD.iter() {
        let claims = &Catalogue::builtin().item(item.id.as_str()).unwrap().claims;
        for variant in &item.variants[1..] {
            for claim in claims.iter().filter(|claim| claim.is_about(&variant.name)) {
                assert!(
                    variant.claims.iter().any(|judged| judged.id == claim.id),
                    "{} {} {}",
                    item.id,
                    variant.name,
                    claim.id
                );
            }
            assert!(variant.claims.iter().all(|claim| !claim.reason.is_empty()));
        }
    }
}

#[test]
fn the_repositorys_own_gates_hold() {
    let mut results = generated("own");
    let spec = world();
    results.run.scale = spec.spec().scale.to_string();
    results.run.seed = spec.spec().seed;
    results.items = HEARD.clone();
    results.judge();
    let gates = Gates::read(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/.ci/gates.toml"
    )));
    let gates = gates.unwrap();
    let asked: Vec<_> = gates.items.iter().map(|item| item.id.as_str()).collect();
    assert!(
        ITEMS.iter().all(|item| asked.contains(&item.id())),
        "{asked:?}"
    );
    let failed: Vec<_> = gates::judge(&gates, &results)
        .into_iter()
        .filter(|line| matches!(line.standing, Standing::Missed | Standing::Unknown))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_change_is_taken_back_to_the_same_schema() {
    in_court(|court| {
        let session = court.session;
        runtime().block_on(async {
            for item in ITEMS {
                let ground = item.ground();
                session.apply(Role::Trial, &ground).await.unwrap();
                for (variant, change) in item.variants() {
                    if change.is_none() {
                        continue;
                    }
                    let of = async || schema(&session.store(&variant)).await.unwrap();
                    let before = of().await;
                    match session.apply(Role::Trial, &change).await {
                        Ok(_) => {}
                        // What was made before it was refused goes with the side.
                        Err(Fault::Variant(_)) => {
                            session.renew(Role::Trial).await.unwrap();
                            continue;
                        }
                        Err(fault) => panic!("{fault}"),
                    }
                    assert_ne!(of().await, before, "{} {variant}", item.id());
                    session.take_back(Role::Trial, &change).await.unwrap();
                    assert_eq!(of().await, before, "{} {variant}", item.id());
                }
                session.take_back(Role::Trial, &ground).await.unwrap();
            }
        });
    });
}

#[test]
fn the_code_and_the_catalogue_name_the_same_variants_and_operations() {
    docket::hold(Catalogue::builtin(), ITEMS).unwrap();
}
