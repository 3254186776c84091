//! The trials themselves, on the smoke world: what they find, and that they leave it as it was.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use criterion::Criterion;
use verdict_audit::evidence::{
    ItemEvidence, PlanMode, Plans, Price, PriceOf, Retired, VariantEvidence,
};
use verdict_audit::{Catalogue, Counter, VariantName, Verdict};
use verdict_scenarios::court::Clockwork;
use verdict_scenarios::docket::{self, ITEMS};
use verdict_scenarios::item::Item;
use verdict_scenarios::schema::schema;
use verdict_scenarios::session::Role;
use verdict_seed::postgres_checksums;
use verdict_store::Fault;

use crate::common::{SETS, runtime};
use crate::court::in_court;

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
            selected: &|_| true,
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

#[test]
fn every_variant_that_should_be_right_answers_as_the_generators_own_stream() {
    for item in HEARD.iter() {
        for name in ["baseline", "optimized"] {
            let heard = heard(item.id.as_str(), name);
            if name == "baseline" && heard.failure.is_some() {
                continue;
            }
            let answers = heard.answers.as_ref().unwrap();
            assert!(answers.checked >= 100, "{}: {answers:?}", item.id);
            // Today's views add up versions.
            if (item.id.as_str(), name) == ("engagement-rollup", "baseline") {
                continue;
            }
            assert_eq!(answers.differing, 0, "{} {name}: {answers:?}", item.id);
        }
    }
}

#[test]
fn todays_feed_has_no_tables_and_with_the_job_its_pages_are_whole() {
    let today = heard("feed-tables", "baseline");
    let failure = today.failure.as_deref().unwrap();
    assert!(failure.contains("UNKNOWN_TABLE"), "{failure}");
    let fix = heard("feed-tables", "optimized");
    assert_eq!(fix.failure, None);
    let answers = fix.answers.as_ref().unwrap();
    let told = |words: &str| answers.declared.iter().any(|told| told.contains(words));
    assert!(told("makes a feed of 0 candidates"), "{answers:?}");
    assert!(told("during 20 refreshes 0 were bad"), "{answers:?}");
    assert!(answers.checked > 300, "{answers:?}");
}

#[test]
fn readers_meet_every_other_way_to_refresh_in_the_middle_of_it() {
    for way in ["drop", "optimize", "truncate", "delete"] {
        let heard = heard("feed-tables", &format!("proposed-{way}"));
        assert_eq!(heard.failure, None, "{way}");
        let answers = heard.answers.as_ref().unwrap();
        assert!(answers.differing > 0, "{way}: {answers:?}");
    }
}

#[test]
fn one_statement_reads_what_three_read_and_the_audits_does_not() {
    let proposed = heard("feed-candidates", "proposed");
    let failure = proposed.failure.as_deref().unwrap();
    assert!(failure.contains("schema mismatch"), "{failure}");
    let mended = heard("feed-candidates", "mended").answers.as_ref().unwrap();
    assert!(mended.differing > 0, "{mended:?}");
    for (name, statements, rows) in [
        ("baseline", 3.0, f64::INFINITY),
        ("mended", 1.0, f64::INFINITY),
        ("optimized", 1.0, 2_048.0),
    ] {
        let of = |counter| {
            let heard = heard("feed-candidates", name);
            counted(heard, "candidates", PlanMode::Auto, counter)
        };
        assert!(
            of(Counter::Statements).iter().all(|n| *n == statements),
            "{name}"
        );
        let read = of(Counter::RowsRead);
        assert!(read.len() >= 2, "{name}");
        assert!(
            read.iter().all(|n| (1.0..=rows).contains(n)),
            "{name}: {read:?}"
        );
    }
}

#[test]
fn the_audits_count_in_the_insert_is_off_by_one() {
    let variant = heard("message-send", "proposed-cte");
    let answers = variant.answers.as_ref().unwrap();
    assert!(answers.differing > 0);
    let first = answers.first_difference.as_deref().unwrap();
    assert!(first.contains("number"), "{first}");
    let mut claims = variant.claims.iter();
    assert!(claims.all(|claim| claim.verdict == Verdict::Wrong));
}

#[test]
fn the_audits_trigger_does_not_run_and_takes_todays_sends_along() {
    let variant = heard("message-send", "proposed-trigger");
    let failure = variant.failure.as_deref().unwrap();
    assert!(failure.contains("sequence_number"), "{failure}");
    assert!(variant.latency.is_empty() && variant.work.is_empty());
    let additive = variant.additive.as_ref().unwrap();
    assert!(additive.differing > 0, "{additive:?}");
}

#[test]
fn the_trigger_with_its_column_runs_and_numbers_from_one() {
    let variant = heard("message-send", "mended-trigger");
    assert_eq!(variant.failure, None);
    let answers = variant.answers.as_ref().unwrap();
    let first = answers.first_difference.as_deref().unwrap();
    assert!(first.contains("number 1 was given after"), "{first}");
}

/// What an item declares of a variant, in one text.
fn declared(item: &str, variant: &str) -> String {
    let answers = heard(item, variant).answers.as_ref().unwrap();
    answers.declared.join("\n")
}

#[test]
fn todays_views_are_off_before_merges_and_after_them() {
    let today = heard("engagement-rollup", "baseline");
    assert!(today.answers.as_ref().unwrap().differing > 0);
    let declared = declared("engagement-rollup", "baseline");
    assert!(declared.contains("today's view has"), "{declared}");
}

#[test]
fn the_audits_first_view_lies_after_one_like_and_the_second_does_not_run() {
    let first = heard("engagement-rollup", "proposed-affinity");
    assert!(first.answers.as_ref().unwrap().differing > 0);
    let declared = declared("engagement-rollup", "proposed-affinity");
    assert!(declared.contains("the first wrong answer"), "{declared}");
    let second = heard("engagement-rollup", "proposed-metrics");
    let failure = second.failure.as_deref().unwrap();
    assert!(failure.contains("metric_hour"), "{failure}");
    let mended = heard("engagement-rollup", "mended-metrics");
    assert_eq!(mended.failure, None);
    assert!(mended.answers.as_ref().unwrap().differing > 0);
}

#[test]
fn nothing_is_lost_that_comes_while_the_fix_is_made() {
    let declared = declared("engagement-rollup", "optimized");
    assert!(declared.contains("none is lost"), "{declared}");
}

#[test]
fn a_view_that_is_renewed_is_right_and_its_age_is_its_price() {
    let renewed = heard("engagement-rollup", "mended-refreshable");
    assert_eq!(renewed.answers.as_ref().unwrap().differing, 0);
    let age = renewed
        .price
        .iter()
        .find(|price| price.what == PriceOf::Staleness);
    assert!(age.unwrap().variant >= 300.0);
}

#[test]
fn a_like_costs_the_fix_a_row_for_each_question_and_the_audits_views_all_of_the_others() {
    let rows = |variant| {
        let likes = PriceOf::RowsPerInsert {
            table: "likes_cdc".to_owned(),
        };
        let prices = &heard("engagement-rollup", variant).price;
        prices
            .iter()
            .find(|price| price.what == likes)
            .unwrap()
            .variant
    };
    assert_eq!(rows("optimized"), 3.0);
    assert!(rows("proposed-affinity") > 30.0);
}

#[test]
fn the_audits_last_message_is_the_one_that_came_last_and_ours_that_of_the_latest_time() {
    let audits = heard("conversation-fetch", "proposed");
    assert_eq!(audits.failure, None);
    let answers = audits.answers.as_ref().unwrap();
    let first = answers.first_difference.as_deref().unwrap();
    assert!(answers.differing > 0, "{first}");
    let scans = |variant| {
        let heard = heard("conversation-fetch", variant);
        counted(heard, "fetch", PlanMode::Auto, Counter::IndexScans)
    };
    assert!(scans("baseline").iter().all(|scans| *scans == 2.0));
    assert!(scans("optimized").iter().all(|scans| *scans == 1.0));
}

#[test]
fn a_send_leaves_one_version_of_the_conversation_with_two_fixes_and_three_with_the_audits() {
    let versions = |variant, beside: Option<&str>| {
        let due = PriceOf::VersionsPerCall {
            table: "conversations".to_owned(),
            call: "send".to_owned(),
            beside: beside.map(str::to_owned),
        };
        let prices = &heard("conversation-fetch", variant).price;
        let price = prices.iter().find(|price| price.what == due).unwrap();
        (price.baseline, price.variant)
    };
    let with_item_2 = Some("message-send");
    assert_eq!(versions("optimized", None), (1.0, 1.0));
    assert_eq!(versions("optimized", with_item_2), (1.0, 1.0));
    assert_eq!(versions("proposed", None), (1.0, 2.0));
    assert_eq!(versions("proposed", with_item_2), (1.0, 3.0));
}

#[test]
fn an_index_is_judged_by_who_looks_into_it_and_by_what_sends_cost() {
    let buffers = |variant| {
        let heard = heard("indexes", variant);
        counted(
            heard,
            "member-conversations",
            PlanMode::Auto,
            Counter::Buffers,
        )[0]
    };
    for variant in ["proposed-members", "optimized"] {
        let (today, fix) = (buffers("baseline"), buffers(variant));
        assert!(today > 2.0 * fix, "{variant}: {today} {fix}");
    }
    let fails = heard("indexes", "proposed-conversations")
        .failure
        .as_deref();
    assert!(fails.unwrap().contains("member_count"), "{fails:?}");
    let mended = declared("indexes", "mended-conversations");
    let unread = "operations look into idx_conversations_updated_member: none";
    assert!(mended.contains(unread), "{mended}");
    let members = declared("indexes", "proposed-members");
    assert!(members.contains("conversation-fetch list ("), "{members}");
    let idle = declared("indexes", "baseline");
    for index in ["idx_conversations_updated_at", "idx_messages_version"] {
        assert!(idle.contains(index), "{index}: {idle}");
    }
    let sends = |variant| {
        let of = |price: &&Price| {
            matches!(&price.what, PriceOf::PerCall { operation, counter, .. }
            if operation.as_str() == "send" && *counter == Counter::Buffers)
        };
        heard("indexes", variant).price.iter().find(of).unwrap()
    };
    let (audits, fix) = (sends("proposed-messages"), sends("optimized"));
    assert!(audits.variant > audits.baseline, "{audits:?}");
    assert!(fix.variant < fix.baseline, "{fix:?}");
}

#[test]
fn a_month_of_its_own_goes_whole_and_makes_every_send_dearer() {
    let months = heard("hot-cold", "optimized");
    let given_back = |messages| {
        let due = PriceOf::Retention {
            messages,
            what: Retired::GivenBack,
        };
        let mut prices = months.price.iter();
        prices.find(|price| price.what == due).unwrap()
    };
    for messages in [100, 1_000] {
        let price = given_back(messages);
        assert!(price.baseline <= 0.0 && price.variant > 0.0, "{price:?}");
    }
    let sends = |of: Counter| {
        let send = |price: &&Price| {
            matches!(&price.what, PriceOf::PerCall { item, operation, counter }
            if item.as_str() == "message-send" && operation.as_str() == "send" && *counter == of)
        };
        months.price.iter().find(send).unwrap()
    };
    for counter in [Counter::WalBytes, Counter::RowsWritten] {
        let price = sends(counter);
        assert!(price.variant > price.baseline, "{price:?}");
    }
    let declared = declared("hot-cold", "optimized");
    assert!(declared.contains("into another month"), "{declared}");
}

#[test]
fn a_cache_saves_reads_and_is_judged_by_what_writes_leave_in_it() {
    let of = |variant, operation, counter| {
        let heard = heard("cache", variant);
        counted(heard, operation, PlanMode::Auto, counter)
    };
    let statements = |variant, operation| of(variant, operation, Counter::Statements);
    assert_eq!(statements("baseline", "zipf-reads"), [100.0, 1_000.0]);
    for variant in ["proposed", "optimized"] {
        assert_eq!(statements(variant, "hot-read"), [0.0], "{variant}");
        assert_eq!(of(variant, "hot-read", Counter::Hits), [1.0], "{variant}");
        assert_eq!(statements(variant, "cold-read"), [1.0], "{variant}");
        assert_eq!(of(variant, "cold-read", Counter::Misses), [1.0]);
        let reads = statements(variant, "zipf-reads");
        assert!(reads[1] < 1_000.0, "{variant}: {reads:?}");
        let misses = of(variant, "zipf-reads", Counter::Misses);
        assert_eq!(reads, misses, "{variant}");
    }
    assert_eq!(of("optimized", "hot-read", Counter::RedisCommands), [1.0]);
    // That there is no such post stays when there is one, and nothing removes a conversation.
    let answers = heard("cache", "proposed").answers.as_ref().unwrap();
    assert!(answers.differing > 0, "{answers:?}");
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
fn the_audits_history_reads_the_whole_conversation_for_a_page() {
    let of = |variant| {
        let heard = heard("message-history", variant);
        counted(heard, "first-page", PlanMode::Auto, Counter::RowsRead)
    };
    let (proposed, optimized) = (of("proposed"), of("optimized"));
    assert!(proposed[1] > 5.0 * proposed[0], "{proposed:?}");
    assert!(optimized[1] < 2.0 * optimized[0], "{optimized:?}");
}

#[test]
fn the_last_page_of_a_history_is_found_from_the_end() {
    let of = |variant| {
        let heard = heard("message-history", variant);
        counted(heard, "last-page", PlanMode::Auto, Counter::RowsRead)
    };
    let (today, optimized) = (of("baseline"), of("optimized"));
    assert!(optimized[1] < 0.5 * today[1], "{optimized:?} {today:?}");
}

#[test]
fn only_the_first_reaction_and_the_last_to_go_write_the_message() {
    let prices = &heard("message-history", "optimized").price;
    for (call, due) in [
        ("send", (2.0, 2.0)),
        ("first-reaction", (1.0, 2.0)),
        ("further-reaction", (1.0, 1.0)),
        ("withdrawal-of-the-only-reaction", (1.0, 2.0)),
        ("first-file", (1.0, 2.0)),
        ("recall", (1.0, 1.0)),
        ("deletion", (1.0, 1.0)),
        ("deletion-for-good", (1.0, 2.0)),
    ] {
        let what = PriceOf::PerCall {
            item: "message-history".parse().unwrap(),
            operation: call.parse().unwrap(),
            counter: Counter::RowsWritten,
        };
        let price = prices.iter().find(|price| price.what == what).unwrap();
        assert_eq!((price.baseline, price.variant), due, "{call}");
    }
}

#[test]
fn a_search_reads_what_it_finds_and_today_all_that_was_said() {
    let read = |variant| {
        let heard = heard("message-search", variant);
        counted(heard, "rare-term", PlanMode::Auto, Counter::RowsRead)
    };
    let (today, fix) = (read("baseline"), read("optimized"));
    assert_eq!((today.len(), fix.len()), (2, 2), "two rungs here");
    for (today, fix) in today.iter().zip(&fix) {
        assert!(*today > 20.0 * fix, "{today} {fix}");
    }
    assert!(today[1] > 8.0 * today[0], "{today:?}");
}

#[test]
fn a_long_text_is_refused_by_the_audits_column_and_ends_todays_searches() {
    let proposed = heard("message-search", "proposed").answers.as_ref();
    let first = proposed.unwrap().first_difference.as_deref().unwrap();
    assert!(first.contains("too long for tsvector"), "{first}");
    let mended = heard("message-search", "mended").answers.as_ref();
    assert_eq!(mended.unwrap().differing, 0, "{mended:?}");
    let declared = declared("message-search", "baseline");
    assert!(declared.contains("no search of the conversation runs"));
}

#[test]
fn nobody_reads_or_writes_while_the_audits_column_is_made_and_all_do_while_the_index_is() {
    let share = |variant, writes| {
        let price = &heard("message-search", variant).price;
        let of = |what| price.iter().find(|price| price.what == what).unwrap();
        let held = of(PriceOf::Held {
            table: "messages".to_owned(),
            writes,
        });
        held.variant / 1e6 / of(PriceOf::Migration).variant
    };
    // On a busy machine somebody waits for a moment without being held.
    let least = |variant| f64::min(share(variant, false), share(variant, true));
    let (proposed, fix) = (least("proposed"), least("optimized"));
    assert!(proposed > 2.0 * fix, "{proposed} {fix}");
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
