//! An item's evidence, judged in words.

use verdict_audit::evidence::{
    Answers, ClaimEvidence, Growth, ItemEvidence, Latency, Percentiles, PlanMode, Ratio,
    VariantEvidence, Work,
};
use verdict_audit::{At, Counter, Finding, VariantName, Verdict};

/// A finding of two operations with every kind of promise.
fn finding() -> Finding {
    toml::from_str(
        r#"
        number = 1
        id = "made-up"
        title = "made up"
        source = "nowhere"
        variants = ["optimized"]
        operations = ["posts", "history"]
        [[claim]]
        id = "speed-up"
        promise = "ratio"
        of = "time"
        lo = 100.0
        hi = 1000.0
        at = 10000
        [[claim]]
        id = "tail"
        operation = "posts"
        promise = "ratio"
        of = "p95"
        lo = 2.0
        hi = inf
        at = 10000
        [[claim]]
        id = "growth"
        promise = "growth"
        of = "rows_read"
        today = "O(n)"
        fixed = "O(1)"
        [[claim]]
        id = "buffers"
        operation = "posts"
        promise = "ratio"
        of = "buffers"
        lo = 2.0
        hi = 4.0
        at = 1000
        [[claim]]
        id = "statements"
        operation = "posts"
        promise = "count"
        of = "statements"
        today = 3
        fixed = 1
        at = 1000
        [[claim]]
        id = "load"
        operation = "posts"
        promise = "share"
        of = "statements"
        lo = 0.5
        hi = 0.8
        at = 1000
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    )
    .expect("a finding")
}

fn latency(operation: &str, value: f64) -> Latency {
    let percentiles = Percentiles {
        count: 100,
        p50: 1.0,
        p95: 2.0,
        p99: 3.0,
    };
    let ratio = Ratio {
        value,
        lo: value * 0.9,
        hi: value * 1.1,
    };
    Latency {
        operation: operation.parse().expect("a name"),
        at: At::rung(10_000),
        baseline: Some(percentiles),
        variant: percentiles,
        ratio: Some(ratio),
        p95_ratio: Some(ratio),
        rounds: 20,
        zero: None,
        floor: 0.0,
        measured_round_trip_us: None,
    }
}

fn growth(operation: &str, plan_mode: PlanMode, slope: f64, bounded: bool) -> Growth {
    Growth {
        operation: operation.parse().expect("a name"),
        plan_mode,
        counter: Counter::RowsRead,
        slope,
        lo: bounded.then_some(slope - 0.02),
        hi: bounded.then_some(slope + 0.02),
        rungs: if bounded { 4 } else { 2 },
    }
}

fn work(plan_mode: PlanMode, statements: f64, buffers: f64) -> Work {
    Work {
        operation: "posts".parse().expect("a name"),
        at: At::rung(1_000),
        plan_mode,
        plans: None,
        counters: [
            (Counter::Statements, statements),
            (Counter::Buffers, buffers),
        ]
        .into(),
    }
}

fn right() -> Option<Answers> {
    Some(Answers {
        checked: 300,
        ..Answers::default()
    })
}

fn today() -> VariantEvidence {
    VariantEvidence {
        answers: right(),
        work: vec![work(PlanMode::Auto, 3.0, 30.0)],
        growth: ["posts", "history"]
            .map(|operation| growth(operation, PlanMode::Auto, 1.0, true))
            .into(),
        ..VariantEvidence::new(VariantName::Baseline)
    }
}

fn sound() -> VariantEvidence {
    VariantEvidence {
        operations: finding().operations,
        answers: right(),
        work: vec![work(PlanMode::Auto, 1.0, 10.0)],
        growth: ["posts", "history"]
            .map(|operation| growth(operation, PlanMode::Auto, 0.0, true))
            .into(),
        latency: vec![latency("posts", 200.0), latency("history", 300.0)],
        ..VariantEvidence::new(VariantName::Optimized)
    }
}

fn judged_beside(today: VariantEvidence, variant: VariantEvidence) -> Vec<ClaimEvidence> {
    let mut item = ItemEvidence {
        number: 1,
        id: "made-up".parse().expect("an id"),
        variants: vec![today, variant],
    };
    item.judge(&finding(), 1);
    assert!(item.variants[0].claims.is_empty());
    item.variants.remove(1).claims
}

fn judged(variant: VariantEvidence) -> Vec<ClaimEvidence> {
    judged_beside(today(), variant)
}

fn claim<'a>(claims: &'a [ClaimEvidence], id: &str) -> &'a ClaimEvidence {
    claims.iter().find(|claim| claim.id == id).expect("a claim")
}

#[test]
fn a_sound_fix_is_confirmed_in_words_that_name_the_place() {
    let claims = judged(sound());
    let measured = |id: &str| claim(&claims, id).measured.as_str();
    assert_eq!(
        measured("speed-up"),
        "posts: 200x (180-220) at n = 10000; history: 300x (270-330) at n = 10000"
    );
    assert_eq!(
        measured("growth"),
        "posts: slope 1.00 (0.98 to 1.02) to 0.00 (-0.02 to 0.02), rows read; \
         history: slope 1.00 (0.98 to 1.02) to 0.00 (-0.02 to 0.02), rows read"
    );
    assert_eq!(measured("buffers"), "30 to 10, 3.00x at n = 1000");
    assert_eq!(measured("statements"), "3 to 1 at n = 1000");
    assert_eq!(measured("load"), "3 to 1, 67 % fewer at n = 1000");
    for claim in &claims {
        assert_eq!(claim.verdict, Verdict::Confirmed, "{claim:?}");
    }
}

#[test]
fn an_operation_that_was_promised_and_not_measured_is_never_silent() {
    let mut variant = sound();
    variant
        .latency
        .retain(|latency| latency.operation.as_str() == "posts");
    let claims = judged(variant.clone());
    let speed_up = claim(&claims, "speed-up");
    assert_eq!(speed_up.verdict, Verdict::Inconclusive);
    assert!(
        speed_up
            .reason
            .contains("history was promised and not measured")
    );
    // A worse verdict of another operation stands, and still says so.
    variant.latency = vec![latency("posts", 0.5)];
    let claims = judged(variant);
    let speed_up = claim(&claims, "speed-up");
    assert_eq!(speed_up.verdict, Verdict::Regression);
    assert!(
        speed_up
            .reason
            .contains("history was promised and not measured")
    );
}

#[test]
fn each_operation_is_fitted_by_itself_and_the_worse_plans_decide() {
    let mut variant = sound();
    variant
        .growth
        .push(growth("posts", PlanMode::Generic, 1.0, true));
    let claims = judged(variant);
    let found = claim(&claims, "growth");
    assert_eq!(found.verdict, Verdict::NoEffect);
    assert!(found.reason.starts_with("posts: "), "{}", found.reason);
    assert!(
        found.measured.contains("(generic plan)"),
        "{}",
        found.measured
    );
}

#[test]
fn a_counter_is_judged_by_the_worse_plans_as_well() {
    let mut variant = sound();
    variant.work.push(work(PlanMode::Generic, 1.0, 30.0));
    let claims = judged(variant);
    let found = claim(&claims, "buffers");
    assert_eq!(found.verdict, Verdict::NoEffect);
    assert!(found.reason.contains("generic plan"), "{}", found.reason);
}

#[test]
fn a_baseline_that_fails_leaves_nothing_to_compare_with_and_a_fix_that_runs() {
    let mut failing = VariantEvidence::new(VariantName::Baseline);
    failing.failure = Some("no such table".to_owned());
    let claims = judged_beside(failing, sound());
    assert_eq!(claim(&claims, "runs").verdict, Verdict::Confirmed);
    let speed_up = claim(&claims, "speed-up");
    assert_eq!(speed_up.verdict, Verdict::Inconclusive);
    assert!(
        speed_up.reason.contains("no such table"),
        "{}",
        speed_up.reason
    );
}

#[test]
fn a_changed_schema_on_which_today_answers_wrongly_is_wrong_whatever_the_variant_does() {
    let mut variant = sound();
    variant.additive = right();
    let claims = judged(variant.clone());
    assert_eq!(claim(&claims, "additive").verdict, Verdict::Confirmed);
    variant.failure = Some("no".to_owned());
    variant.additive = Some(Answers {
        checked: 8,
        differing: 3,
        first_difference: Some("a send".to_owned()),
        ..Answers::default()
    });
    let claims = judged(variant);
    let additive = claim(&claims, "additive");
    assert_eq!(additive.verdict, Verdict::Wrong);
    assert_eq!(additive.reason, "a send");
}

#[test]
fn failure_beats_wrong_answers_and_any_speed() {
    let mut variant = sound();
    variant.failure = Some("column m.user_id does not exist".to_owned());
    variant.answers = Some(Answers {
        checked: 10,
        differing: 10,
        ..Answers::default()
    });
    for claim in judged(variant) {
        assert_eq!(claim.verdict, Verdict::Fails);
        assert_eq!(claim.reason, "column m.user_id does not exist");
    }
}

#[test]
fn wrong_answers_are_never_presented_as_a_gain() {
    let mut variant = sound();
    variant.answers = Some(Answers {
        checked: 10,
        differing: 1,
        first_difference: Some("send #4: 12 became 11".to_owned()),
        ..Answers::default()
    });
    let mut claims = judged(variant);
    claims.retain(|claim| claim.id != "runs");
    for claim in claims {
        assert_eq!(claim.verdict, Verdict::Wrong);
        assert_eq!(claim.measured, "1 of 10 answers differ");
        assert_eq!(claim.reason, "send #4: 12 became 11");
    }
}

#[test]
fn a_variant_whose_answers_were_not_compared_is_inconclusive() {
    let mut variant = sound();
    variant.answers = None;
    let mut claims = judged(variant);
    claims.retain(|claim| claim.id != "runs");
    let mut claims = claims.iter();
    assert!(claims.all(|claim| claim.verdict == Verdict::Inconclusive));
}

#[test]
fn a_ladder_too_short_says_what_is_missing() {
    let mut variant = sound();
    variant.latency.clear();
    variant.growth = vec![growth("posts", PlanMode::Auto, 0.0, false)];
    let claims = judged(variant);
    assert_eq!(claim(&claims, "speed-up").measured, "not measured");
    for id in ["speed-up", "growth"] {
        assert_eq!(claim(&claims, id).verdict, Verdict::Inconclusive);
    }
    let reason = &claim(&claims, "growth").reason;
    assert!(
        reason.contains("2 rungs") || reason.contains("not measured"),
        "{reason}"
    );
}

#[test]
fn the_worst_operation_decides_and_all_are_shown() {
    let mut variant = sound();
    variant.latency = vec![latency("posts", 200.0), latency("history", 3.0)];
    let claim = &judged(variant)[0];
    assert_eq!(claim.verdict, Verdict::FallsShort);
    assert!(claim.reason.starts_with("history: "), "{}", claim.reason);
    assert!(claim.measured.starts_with("history: 3.00x") && claim.measured.contains("posts: 200x"));
}
