//! Each border of the load's rules, from both sides.

use verdict_audit::Verdict::{
    self, AsSaid, Confirmed, Fails, FallsShort, FasterThanSaid, Inconclusive, SlowerThanSaid, Wrong,
};
use verdict_audit::catalogue::Before;
use verdict_audit::evidence::{Estimate, Ratio};
use verdict_audit::load_rules::{self, Load};
use verdict_audit::rules::Judgement;

fn load(lo_ms: f64, hi_ms: f64, requests: u64, errors: u64) -> Load {
    Load {
        p95: Estimate {
            value: f64::midpoint(lo_ms, hi_ms) * 1000.0,
            lo: Some(lo_ms * 1000.0),
            hi: Some(hi_ms * 1000.0),
        },
        requests,
        errors,
        lag_p99: None,
    }
}

fn goal(load: Load) -> Verdict {
    load_rules::goal(&load, 50.0).verdict
}

#[test]
fn a_goal_is_met_only_when_the_whole_interval_is_below_it() {
    assert_eq!(goal(load(10.0, 49.9, 1000, 0)), Confirmed);
    assert_eq!(goal(load(10.0, 50.0, 1000, 0)), Inconclusive);
    assert_eq!(goal(load(49.9, 60.0, 1000, 0)), Inconclusive);
    assert_eq!(goal(load(50.0, 60.0, 1000, 0)), FallsShort);
}

#[test]
fn a_goal_is_refused_under_200_requests_and_says_how_many_are_missing() {
    assert_eq!(goal(load(10.0, 20.0, 200, 0)), Confirmed);
    let refused = load_rules::goal(&load(10.0, 20.0, 199, 0), 50.0);
    assert_eq!(refused.verdict, Inconclusive);
    assert!(
        refused.reason.contains("needs 200, 1 more"),
        "{}",
        refused.reason
    );
}

#[test]
fn errors_above_a_thousandth_come_before_any_latency() {
    assert_eq!(goal(load(10.0, 20.0, 1000, 1)), Confirmed);
    assert_eq!(goal(load(60.0, 70.0, 1000, 1)), FallsShort);
    assert_eq!(goal(load(10.0, 20.0, 1000, 1000)), Fails);
    let before = |lo, hi| load_rules::before(&load(lo, hi, 1000, 2), 200.0, Before::About);
    let judged = [
        load_rules::goal(&load(10.0, 20.0, 1000, 2), 50.0),
        load_rules::goal(&load(60.0, 70.0, 1000, 2), 50.0),
        load_rules::goal(&load(60.0, 70.0, 100, 2), 50.0),
        before(200.0, 210.0),
        before(1.0, 2.0),
        before(900.0, 1000.0),
    ];
    for judgement in judged {
        assert_eq!(judgement.verdict, Inconclusive);
        assert!(judgement.reason.contains("failed"), "{}", judgement.reason);
    }
}

#[test]
fn a_p95_without_a_bound_decides_nothing() {
    let mut unbounded = load(10.0, 20.0, 300, 0);
    unbounded.p95.hi = None;
    assert_eq!(goal(unbounded), Inconclusive);
    assert_eq!(
        load_rules::before(&unbounded, 200.0, Before::About).verdict,
        Inconclusive
    );
}

#[test]
fn a_figure_of_about_reaches_a_factor_of_one_and_a_half_either_way() {
    let before = |lo, hi| load_rules::before(&load(lo, hi, 1000, 0), 300.0, Before::About).verdict;
    assert_eq!(before(200.0, 450.0), AsSaid);
    assert_eq!(before(199.9, 450.0), Inconclusive);
    assert_eq!(before(200.0, 450.1), Inconclusive);
    assert_eq!(before(100.0, 199.9), FasterThanSaid);
    assert_eq!(before(100.0, 200.0), Inconclusive);
    assert_eq!(before(450.1, 500.0), SlowerThanSaid);
    assert_eq!(before(450.0, 500.0), Inconclusive);
}

#[test]
fn a_figure_of_more_than_has_no_upper_end() {
    let before = |lo, hi| load_rules::before(&load(lo, hi, 1000, 0), 1000.0, Before::Over).verdict;
    assert_eq!(before(1000.1, 90_000.0), AsSaid);
    assert_eq!(before(1000.0, 1100.0), Inconclusive);
    assert_eq!(before(900.0, 1000.0), FasterThanSaid);
}

#[test]
fn a_generator_late_by_more_than_half_of_p95_proves_nothing_slow_and_what_is_fast_stays_so() {
    let late = |lo, hi, lag_ms: f64| Load {
        lag_p99: Some(lag_ms * 1000.0),
        ..load(lo, hi, 1000, 0)
    };
    assert_eq!(goal(late(55.0, 65.0, 30.0)), FallsShort);
    assert_eq!(goal(late(55.0, 65.0, 30.1)), Inconclusive);
    assert_eq!(goal(late(10.0, 20.0, 16.0)), Confirmed);
    let before = |load| load_rules::before(&load, 200.0, Before::About).verdict;
    assert_eq!(before(late(400.0, 500.0, 300.0)), Inconclusive);
    assert_eq!(before(late(200.0, 210.0, 110.0)), Inconclusive);
    assert_eq!(before(late(10.0, 20.0, 16.0)), FasterThanSaid);
}

#[test]
fn a_target_holds_when_both_loops_hold_it() {
    let told = |verdict| Judgement {
        verdict,
        reason: "so it is".to_owned(),
    };
    let both = |closed: Option<Verdict>, open: Option<Verdict>| {
        let (closed, open) = (closed.map(told), open.map(told));
        load_rules::both(closed.as_ref(), open.as_ref())
    };
    let verdict = |closed, open| both(Some(closed), Some(open)).verdict;
    assert_eq!(verdict(Confirmed, Confirmed), Confirmed);
    assert_eq!(verdict(Confirmed, Inconclusive), Inconclusive);
    assert_eq!(verdict(Confirmed, FallsShort), FallsShort);
    assert_eq!(verdict(FallsShort, Inconclusive), FallsShort);
    assert_eq!(verdict(Fails, FallsShort), Fails);
    assert_eq!(verdict(Wrong, Fails), Wrong);
    assert_eq!(verdict(SlowerThanSaid, SlowerThanSaid), SlowerThanSaid);
    assert_eq!(verdict(SlowerThanSaid, AsSaid), Inconclusive);
    assert_eq!(both(None, Some(FallsShort)).verdict, FallsShort);
    let alone = both(Some(Confirmed), None);
    assert_eq!(alone.verdict, Inconclusive);
    assert!(alone.reason.contains("open loop"), "{}", alone.reason);
    let open = both(Some(Confirmed), Some(Inconclusive));
    assert!(open.reason.contains("open loop: "), "{}", open.reason);
}

#[test]
fn a_difference_of_the_sides_is_told_when_it_is_more_than_noise() {
    let standing = |lo, hi, noise| {
        let value = f64::midpoint(lo, hi);
        load_rules::standing(Ratio { value, lo, hi }.judged(1, 10, noise))
    };
    assert_eq!(standing(1.01, 1.2, 0.0), "faster");
    assert_eq!(standing(1.01, 1.2, 0.02), "no difference shown");
    assert_eq!(standing(0.8, 0.9, 0.1), "slower");
    assert_eq!(standing(0.8, 0.95, 0.1), "no difference shown");
}
