//! Items 1, 2, 8 and 9: conversations and their messages.

use verdict_audit::evidence::{PlanMode, PriceOf};
use verdict_audit::{Counter, Verdict};

use super::{counted, declared, heard};

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
fn a_pool_is_asked_once_for_a_call_and_what_dies_in_it_loses_none() {
    let turns = |variant, operation| {
        let heard = heard("pool", variant);
        counted(heard, operation, PlanMode::Auto, Counter::WireTurns)
    };
    for (variant, page, send) in [
        ("baseline", 9.0, 6.0),
        ("proposed", 9.0, 6.0),
        // A turn for each statement, and one for what is asked when the connection comes back.
        ("optimized", 4.0, 3.0),
    ] {
        assert_eq!(turns(variant, "page"), [page], "{variant}");
        assert_eq!(turns(variant, "send"), [send], "{variant}");
        let declared = declared("pool", variant);
        for told in ["connections ended", "hold a connection", "come to"] {
            assert!(declared.contains(told), "{variant}: {declared}");
        }
        let crowds = heard("pool", variant).work.iter();
        let crowds = crowds.filter(|work| work.at.callers > 1);
        assert!(crowds.clone().count() >= 6, "{variant}");
        for crowd in crowds {
            assert!(crowd.counters[&Counter::PoolWaits] > 0.0, "{crowd:?}");
        }
    }
    let swept = declared("pool", "optimized");
    assert!(swept.contains("by the rule"), "{swept}");
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
