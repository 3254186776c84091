//! Each border of the rules, from both sides.

use verdict_audit::Order;
use verdict_audit::Verdict::{
    self, Confirmed, Exceeded, FallsShort, Inconclusive, NoEffect, Regression,
};
use verdict_audit::evidence::{Answers, Ratio};
use verdict_audit::rules::{self, Interval};

fn speed_up(lo: f64, hi: f64) -> Verdict {
    let value = f64::midpoint(lo, hi);
    rules::speed_up(Ratio { value, lo, hi }, 2.0, 4.0).verdict
}

#[test]
fn one_wrong_answer_is_wrong_and_the_first_is_the_reason() {
    let mut answers = Answers {
        checked: 900,
        ..Answers::default()
    };
    assert_eq!(rules::wrong_answers(&answers), None);
    answers.differing = 1;
    answers.first_difference = Some("row 7".to_owned());
    let judgement = rules::wrong_answers(&answers).unwrap();
    assert_eq!(judgement.verdict, Verdict::Wrong);
    assert_eq!(judgement.reason, "1 of 900 answers are wrong, first row 7");
}

#[test]
fn a_speed_up_is_a_regression_when_it_surely_is_slower() {
    assert_eq!(speed_up(0.5, 0.999), Regression);
    assert_eq!(speed_up(0.97, 0.999), Regression);
    assert_eq!(speed_up(0.5, 1.0), Inconclusive);
}

#[test]
fn a_speed_up_has_no_effect_when_a_narrow_interval_holds_one() {
    assert_eq!(speed_up(0.94, 1.03), NoEffect);
    assert_eq!(speed_up(1.0, 1.09), NoEffect);
    assert_eq!(speed_up(0.95, 1.0), NoEffect);
    assert_eq!(speed_up(0.94, 1.05), Inconclusive);
    assert_eq!(speed_up(1.001, 1.01), FallsShort);
}

#[test]
fn a_speed_up_falls_short_between_one_and_the_promise() {
    assert_eq!(speed_up(1.2, 1.999), FallsShort);
    assert_eq!(speed_up(1.2, 2.0), Inconclusive);
    assert_eq!(speed_up(1.0, 1.9), Inconclusive);
}

#[test]
fn a_speed_up_is_confirmed_from_the_promise_and_exceeded_beyond_it() {
    assert_eq!(speed_up(1.999, 3.0), Inconclusive);
    assert_eq!(speed_up(2.0, 3.0), Confirmed);
    assert_eq!(speed_up(2.0, 9.0), Confirmed);
    assert_eq!(speed_up(4.0, 9.0), Confirmed);
    assert_eq!(speed_up(4.001, 9.0), Exceeded);
}

fn growth(lo: f64, hi: f64) -> Interval {
    Interval { lo, hi }
}

#[test]
fn an_order_is_named_only_when_the_whole_interval_lies_in_it() {
    assert_eq!(growth(-0.15, 0.15).order(), Some(Order::Constant));
    assert_eq!(growth(0.0, 0.151).order(), Some(Order::Logarithmic));
    assert_eq!(growth(0.1, 0.25).order(), Some(Order::Logarithmic));
    assert_eq!(growth(-0.2, 0.2).order(), None);
    assert_eq!(growth(0.1, 0.251).order(), None);
    assert_eq!(growth(0.8, 1.2).order(), Some(Order::Linear));
    assert_eq!(growth(0.799, 1.0).order(), None);
    assert_eq!(growth(1.0, 1.201).order(), None);
}

const LINEAR: (f64, f64) = (0.95, 1.05);

fn mended(today: (f64, f64), variant: (f64, f64)) -> Verdict {
    rules::growth(
        growth(today.0, today.1),
        growth(variant.0, variant.1),
        Order::Linear,
        Order::Constant,
    )
    .verdict
}

#[test]
fn growth_is_confirmed_when_today_and_the_fix_are_as_the_audit_says() {
    assert_eq!(mended(LINEAR, (-0.1, 0.15)), Confirmed);
    assert_eq!(mended((0.8, 1.2), (0.0, 0.0)), Confirmed);
    assert_eq!(mended((1.5, 1.6), (0.0, 0.0)), Confirmed);
    assert_eq!(mended(LINEAR, (0.1, 0.151)), Inconclusive);
}

#[test]
fn growth_that_today_does_not_have_is_not_mended() {
    assert_eq!(mended((0.0, 0.1), (0.0, 0.1)), NoEffect);
    assert_eq!(mended((0.799, 1.1), (0.0, 0.0)), Inconclusive);
    assert_eq!(mended((0.4, 0.7), (0.0, 0.0)), Inconclusive);
    assert_eq!(mended((0.0, 0.1), (0.9, 1.1)), Regression);
}

#[test]
fn growth_between_the_orders_falls_short() {
    assert_eq!(mended(LINEAR, (0.151, 0.799)), FallsShort);
    assert_eq!(mended(LINEAR, (0.15, 0.799)), Inconclusive);
    assert_eq!(mended(LINEAR, (0.151, 0.8)), Inconclusive);
}

#[test]
fn growth_as_today_is_no_effect_and_more_is_a_regression() {
    assert_eq!(mended(LINEAR, (0.8, 1.2)), NoEffect);
    assert_eq!(mended(LINEAR, (1.0, 1.3)), NoEffect);
    assert_eq!(mended((1.5, 1.6), (1.55, 1.7)), NoEffect);
    assert_eq!(mended(LINEAR, (1.21, 1.3)), Regression);
}

#[test]
fn a_promise_of_a_logarithm_is_kept_up_to_its_own_slope() {
    let judge = |hi| {
        let growth_of = growth(0.1, hi);
        rules::growth(
            growth(1.0, 1.0),
            growth_of,
            Order::Linear,
            Order::Logarithmic,
        )
        .verdict
    };
    assert_eq!(judge(0.25), Confirmed);
    assert_eq!(judge(0.251), Inconclusive);
}

#[test]
fn a_ratio_of_a_counter_is_exact() {
    let judge = |today, variant| rules::counter_ratio(today, variant, 2.0, 4.0).verdict;
    assert_eq!(judge(10.0, 10.1), Regression);
    assert_eq!(judge(10.0, 10.0), NoEffect);
    assert_eq!(judge(0.0, 0.0), NoEffect);
    assert_eq!(judge(10.0, 9.9), FallsShort);
    assert_eq!(judge(10.0, 5.1), FallsShort);
    assert_eq!(judge(10.0, 5.0), Confirmed);
    assert_eq!(judge(10.0, 2.5), Confirmed);
    assert_eq!(judge(10.0, 2.4), Exceeded);
    assert_eq!(judge(10.0, 0.0), Exceeded);
    let unbounded = rules::counter_ratio(10.0, 0.0, 1.05, f64::INFINITY).verdict;
    assert_eq!(unbounded, Confirmed);
}

#[test]
fn a_count_falls_to_what_is_promised_or_short_of_it() {
    let judge = |today, variant| rules::count(today, variant, 3.0, 1.0);
    assert_eq!(judge(3.0, 3.1).verdict, Regression);
    assert_eq!(judge(3.0, 3.0).verdict, NoEffect);
    assert_eq!(judge(3.0, 2.0).verdict, FallsShort);
    assert_eq!(judge(3.0, 1.0).verdict, Confirmed);
    assert_eq!(judge(3.0, 0.9).verdict, Exceeded);
    assert_eq!(judge(1.0, 1.0).verdict, NoEffect);
    assert!(judge(2.0, 1.0).reason.contains("today makes 2, not 3"));
    assert!(!judge(3.0, 1.0).reason.contains("today makes"));
}

#[test]
fn a_share_is_avoided_within_what_is_promised() {
    let judge = |today, variant| rules::share(today, variant, 0.5, 0.8).verdict;
    assert_eq!(judge(0.0, 0.0), Inconclusive);
    assert_eq!(judge(100.0, 101.0), Regression);
    assert_eq!(judge(100.0, 100.0), NoEffect);
    assert_eq!(judge(100.0, 51.0), FallsShort);
    assert_eq!(judge(100.0, 50.0), Confirmed);
    assert_eq!(judge(100.0, 21.0), Confirmed);
    assert_eq!(judge(100.0, 19.0), Exceeded);
}
