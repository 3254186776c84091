//! Items 3, 4 and 5: likes, comments, views and the feed.

use verdict_audit::Counter;
use verdict_audit::evidence::{PlanMode, PriceOf};

use super::{counted, declared, heard};

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
