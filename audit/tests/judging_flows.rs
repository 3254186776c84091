//! Flows under load, judged in words.

use verdict_audit::evidence::{Compared, Estimate, FlowEvidence, FlowWindow, Percentiles};
use verdict_audit::flow_compare::compare;
use verdict_audit::flow_judge::{judge_load, largest_holding};
use verdict_audit::{Catalogue, FlowId, ItemId, Side, Verdict, judge_flow};

fn at(users: u32, p95_ms: f64) -> FlowEvidence {
    let estimate = Estimate {
        value: p95_ms * 1000.0,
        lo: Some(p95_ms * 900.0),
        hi: Some(p95_ms * 1100.0),
    };
    FlowEvidence {
        id: FlowId::Send,
        side: Side::Optimized,
        users: Some(users),
        rate: None,
        requests: 5_000,
        errors: 0,
        duration: 10.0,
        throughput: 500.0,
        p50: estimate,
        p95: estimate,
        p99: estimate,
        standing_p95: None,
        generator_lag_p99: None,
        generator_share: None,
        target_ms: Some(50.0),
        verdict: Verdict::Confirmed,
        reason: String::new(),
        judged: false,
        mean: p95_ms * 600.0,
        stages: Vec::new(),
        windows: vec![FlowWindow::default(); 10],
    }
}

#[test]
fn the_largest_load_is_the_last_before_the_goal_first_breaks() {
    let flow = Catalogue::builtin().target(FlowId::Send).unwrap();
    let rows = [at(64, 10.0), at(1, 5.0), at(16, 80.0), at(4, 20.0)];
    let capacity = largest_holding(flow, Side::Optimized, &rows);
    assert_eq!((capacity.max_users, capacity.max_rate), (Some(4), None));
    assert_eq!(largest_holding(flow, Side::Baseline, &rows).max_users, None);
}

#[test]
fn where_nobody_was_answered_for_too_long_a_window_without_requests_leaves_no_doubt() {
    let unbounded = Estimate {
        value: 2_000.0,
        lo: None,
        hi: None,
    };
    let standing = Estimate {
        value: 600_000.0,
        lo: Some(420_000.0),
        hi: Some(820_000.0),
    };
    let row = FlowEvidence {
        p95: unbounded,
        standing_p95: Some(standing),
        ..at(4, 2.0)
    };
    let load = row.load();
    assert_eq!((load.p95.lo, load.p95.hi), (standing.lo, None));
    let flow = Catalogue::builtin().target(FlowId::Send).unwrap();
    let verdict = judge_flow(flow, Side::Optimized, &load).verdict;
    assert_eq!(verdict, Verdict::FallsShort);
}

#[test]
fn beyond_a_load_that_fails_too_often_nothing_holds_however_quick_it_is() {
    let flow = Catalogue::builtin().target(FlowId::Send).unwrap();
    let largest = |errors: u64| {
        let failing = FlowEvidence {
            errors,
            ..at(4, 5.0)
        };
        let rows = [at(1, 5.0), failing, at(16, 5.0)];
        largest_holding(flow, Side::Optimized, &rows).max_users
    };
    // A thousandth of 5 000 requests.
    assert_eq!(largest(5), Some(16));
    assert_eq!(largest(6), Some(1));
}

fn judged(mut row: FlowEvidence) -> FlowEvidence {
    let target = Catalogue::builtin()
        .target(row.id)
        .expect("a target of the audit");
    row.target_ms = Some(target.target_ms(row.side));
    row.verdict = judge_flow(target, row.side, &row.load()).verdict;
    row
}

/// Both sides at four users, and at these rates: today answers 500 per second of them, optimized
/// twice as many.
fn sides(today_ms: f64, optimized_ms: f64, rates: &[(f64, f64)]) -> Vec<FlowEvidence> {
    let mut rows = Vec::new();
    for (side, p95_ms, throughput) in [
        (Side::Baseline, today_ms, 500.0),
        (Side::Optimized, optimized_ms, 1000.0),
    ] {
        let closed = FlowEvidence {
            side,
            throughput,
            ..at(4, p95_ms)
        };
        for (rate, p95_ms) in rates {
            rows.push(judged(FlowEvidence {
                side,
                users: None,
                rate: Some(*rate),
                ..at(4, *p95_ms)
            }));
        }
        rows.push(judged(closed));
    }
    rows
}

#[test]
fn a_target_is_judged_at_half_of_what_the_slower_side_answers() {
    let mut rows = sides(5.0, 1.0, &[(200.0, 1.0), (250.0, 2.0), (400.0, 300.0)]);
    let targets = judge_load(&mut rows, &mut [], 0);
    let judged: Vec<_> = rows.iter().filter(|row| row.judged).collect();
    assert_eq!(judged.len(), 4);
    assert!(
        judged
            .iter()
            .all(|row| row.rate.is_none_or(|rate| rate == 250.0))
    );
    assert_eq!(targets.len(), 2);
    let [today, optimized] = &targets[..] else {
        panic!("a target for each side");
    };
    assert_eq!((today.users, today.rate), (Some(4), Some(250.0)));
    assert_eq!(today.verdict, Verdict::FasterThanSaid);
    assert_eq!(today.says, "today meets this target 10 times over");
    assert_eq!(optimized.verdict, Verdict::Confirmed);
    // Its open loop is the slower one.
    assert_eq!(optimized.p95.unwrap().value, 2_000.0);
    assert_eq!(optimized.says, "optimized meets this target 25 times over");
}

#[test]
fn a_miss_of_one_loop_is_a_miss_and_says_by_how_much() {
    let mut rows = sides(742.0, 1.0, &[(250.0, 156.0)]);
    let targets = judge_load(&mut rows, &mut [], 0);
    assert_eq!(
        targets[0].says,
        "today misses this target by 692 ms: p95 is 742 ms for 50 ms"
    );
    assert_eq!(targets[1].verdict, Verdict::FallsShort);
    assert!(
        targets[1].reason.starts_with("open loop"),
        "{}",
        targets[1].reason
    );
}

#[test]
fn what_was_measured_in_one_loop_alone_is_not_decided() {
    for rates in [&[][..], &[(100.0, 1.0)], &[(600.0, 1.0)]] {
        let mut rows = sides(5.0, 1.0, rates);
        for target in judge_load(&mut rows, &mut [], 0) {
            assert_eq!(target.verdict, Verdict::Inconclusive, "{}", target.reason);
            assert!(target.says.contains("not decided"), "{}", target.says);
        }
    }
}

#[test]
fn what_one_row_decides_by_itself_is_open_among_many_figures() {
    let mut rows = sides(5.0, 1.0, &[(250.0, 45.0)]);
    let open_loop = |rows: &[FlowEvidence]| rows[2].verdict;
    let target = |rows: &mut [FlowEvidence], others| judge_load(rows, &mut [], others).remove(1);
    assert_eq!(target(&mut rows, 0).verdict, Verdict::Inconclusive);
    assert_eq!(open_loop(&rows), Verdict::Confirmed);
    let mut surer = sides(5.0, 1.0, &[(250.0, 40.0)]);
    assert_eq!(target(&mut surer, 0).verdict, Verdict::Confirmed);
    let among = target(&mut surer, 10_000);
    assert_eq!(among.verdict, Verdict::Inconclusive);
    assert!(among.reason.contains("among all"), "{}", among.reason);
    let (shown, judged) = (among.p95.expect("p95"), among.judged.expect("its interval"));
    assert!(judged.hi > shown.hi && judged.value == shown.value);
}

#[test]
fn each_loop_has_noise_of_its_own() {
    let windows = |factor: f64| {
        let mood = |i: u32| 1.0 + 0.01 * f64::from(i * 7 % 5);
        (0..10)
            .map(|i| window(factor * mood(i), factor * mood(i)))
            .collect::<Vec<_>>()
    };
    let (closed, open) = (
        at(4, 5.0),
        FlowEvidence {
            users: None,
            rate: Some(100.0),
            ..at(4, 5.0)
        },
    );
    let compared = |of, row, factor| compare(of, row, &windows(factor), &windows(1.0));
    let mut ratios = vec![
        compared(Compared::Itself, &closed, 1.0),
        compared(Compared::Itself, &open, 1.3),
        compared(Compared::Sides, &closed, 1.2),
        compared(Compared::Sides, &open, 1.2),
    ];
    judge_load(&mut [], &mut ratios, 0);
    assert_eq!(ratios[2].says, "faster");
    let sure = ratios[3].p50_judged.expect("an interval");
    assert!(ratios[3].p50.expect("a ratio").lo > 1.0 && sure.holds(1.0));
    let words = format!("no difference shown: {sure} with");
    assert!(ratios[3].says.starts_with(&words), "{}", ratios[3].says);
}

#[test]
fn nothing_is_said_of_a_target_that_is_answered_wrongly() {
    let mut rows = sides(5.0, 1.0, &[(250.0, 2.0)]);
    rows[0].verdict = Verdict::Wrong;
    let targets = judge_load(&mut rows, &mut [], 0);
    assert_eq!(targets[0].verdict, Verdict::Wrong);
    assert!(
        targets[0].says.contains("does not meet"),
        "{}",
        targets[0].says
    );
    assert_eq!(targets[1].verdict, Verdict::Confirmed);
}

fn window(p50: f64, p95: f64) -> Percentiles {
    Percentiles {
        count: 100,
        p50,
        p95,
        p99: p95,
    }
}

#[test]
fn sides_are_told_apart_by_more_than_today_differs_from_itself() {
    let windows = |factor: f64| -> Vec<Percentiles> {
        let mood = |i: u32| 1.0 + 0.01 * f64::from(i * 7 % 5);
        (0..10)
            .map(|i| window(factor * mood(i), 2.0 * factor * mood(i * 3)))
            .collect()
    };
    let row = at(4, 5.0);
    let mut ratios = vec![
        compare(Compared::Itself, &row, &windows(1.04), &windows(1.0)),
        compare(Compared::Sides, &row, &windows(1.03), &windows(1.0)),
        compare(Compared::Sides, &row, &windows(1.5), &windows(1.0)),
        compare(Compared::Sides, &row, &windows(1.0)[..2], &windows(1.0)),
    ];
    judge_load(&mut [], &mut ratios, 0);
    assert!(ratios[0].says.contains("noise"), "{}", ratios[0].says);
    let said = &ratios[1].says;
    assert!(said.starts_with("no difference shown"), "{said}");
    assert_eq!(ratios[2].says, "faster");
    assert!(ratios[3].p95.is_none() && ratios[3].says.contains("windows"));
    let mut empty = windows(1.0);
    empty[4] = Percentiles {
        count: 0,
        ..window(0.0, 0.0)
    };
    let ratio = compare(Compared::Sides, &row, &windows(1.0), &empty);
    assert!(
        ratio.p50.is_none() && ratio.says.contains("window 5"),
        "{}",
        ratio.says
    );
}

#[test]
fn an_item_asks_for_the_flows_that_do_its_work() {
    let audit = Catalogue::builtin();
    let flows = |id: &str| {
        let id: ItemId = id.parse().unwrap();
        audit.flows_of(&[&id])
    };
    assert_eq!(flows("message-send"), [FlowId::Send]);
    assert_eq!(flows("pagination"), [FlowId::Page]);
    let all: Vec<&ItemId> = audit.items.iter().map(|item| &item.id).collect();
    let mixed = [FlowId::Mix, FlowId::MixUncached];
    assert!(audit.flows_of(&all).ends_with(&mixed));
    assert_eq!(flows("monitoring"), []);
}
