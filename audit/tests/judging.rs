//! An item's evidence, judged in words.

use verdict_audit::evidence::{
    Answers, ClaimEvidence, Complexity, Estimate, FlowEvidence, ItemEvidence, Latency, Percentiles,
    Ratio, VariantEvidence,
};
use verdict_audit::judge::largest_holding;
use verdict_audit::{Catalogue, FlowId, Side, Verdict};

fn latency(operation: &str, n: u64, value: f64) -> Latency {
    let percentiles = Percentiles {
        count: 100,
        p50: 1.0,
        p95: 2.0,
        p99: 3.0,
    };
    Latency {
        operation: operation.to_owned(),
        n,
        baseline: percentiles,
        variant: percentiles,
        ratio: Ratio {
            value,
            lo: value * 0.9,
            hi: value * 1.1,
        },
        blocks: 20,
    }
}

fn complexity(slope: f64, bounded: bool) -> Option<Complexity> {
    Some(Complexity {
        operation: String::new(),
        counter: "rows_read".to_owned(),
        slope,
        lo: bounded.then_some(slope - 0.02),
        hi: bounded.then_some(slope + 0.02),
        rungs: if bounded { 4 } else { 2 },
    })
}

fn sound() -> VariantEvidence {
    VariantEvidence {
        name: "optimized".to_owned(),
        answers: Some(Answers {
            checked: 300,
            ..Answers::default()
        }),
        complexity: complexity(0.0, true),
        latency: vec![latency("", 1_000, 20.0), latency("", 10_000, 200.0)],
        ..VariantEvidence::default()
    }
}

/// The claims of message-send for one variant.
fn judged(variant: VariantEvidence) -> Vec<ClaimEvidence> {
    let baseline = VariantEvidence {
        name: "baseline".to_owned(),
        complexity: complexity(1.0, true),
        ..VariantEvidence::default()
    };
    let mut item = ItemEvidence {
        number: 2,
        id: "message-send".to_owned(),
        variants: vec![baseline, variant],
    };
    item.judge(Catalogue::builtin().item("message-send").expect("item 2"));
    assert!(item.variants[0].claims.is_empty());
    item.variants.remove(1).claims
}

#[test]
fn a_sound_fix_is_confirmed_in_words_that_name_the_rung() {
    let claims = judged(sound());
    assert_eq!(claims[0].expected, "100-1000x");
    assert_eq!(claims[0].measured, "200x (180-220) at n = 10000");
    assert_eq!(claims[1].expected, "O(n) to O(1)");
    assert_eq!(
        claims[1].measured,
        "slope 1.00 (0.98 to 1.02) to 0.00 (-0.02 to 0.02), rows_read"
    );
    assert!(
        claims
            .iter()
            .all(|claim| claim.verdict == Verdict::Confirmed)
    );
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
    for claim in judged(variant) {
        assert_eq!(claim.verdict, Verdict::Wrong);
        assert_eq!(claim.measured, "1 of 10 answers differ");
        assert_eq!(claim.reason, "send #4: 12 became 11");
    }
}

#[test]
fn a_variant_whose_answers_were_not_compared_is_inconclusive() {
    let mut variant = sound();
    variant.answers = None;
    assert!(
        judged(variant)
            .iter()
            .all(|claim| claim.verdict == Verdict::Inconclusive)
    );
}

#[test]
fn a_ladder_too_short_says_what_is_missing() {
    let mut variant = sound();
    variant.latency.pop();
    variant.complexity = complexity(0.0, false);
    let claims = judged(variant);
    assert_eq!(claims[0].measured, "20.0x (18.0-22.0) at n = 1000");
    assert!(
        claims[0].reason.contains("n = 10000"),
        "{}",
        claims[0].reason
    );
    assert!(claims[1].reason.contains("2 rungs"), "{}", claims[1].reason);
    assert!(
        claims
            .iter()
            .all(|claim| claim.verdict == Verdict::Inconclusive)
    );
}

#[test]
fn the_worst_operation_decides_and_all_are_shown() {
    let mut variant = sound();
    variant.latency = vec![
        latency("posts", 10_000, 200.0),
        latency("history", 10_000, 3.0),
    ];
    let claim = &judged(variant)[0];
    assert_eq!(claim.verdict, Verdict::FallsShort);
    assert!(claim.reason.starts_with("history: "), "{}", claim.reason);
    assert!(claim.measured.starts_with("history: 3.00x") && claim.measured.contains("posts: 200x"));
}

fn at(users: u32, p95_ms: f64) -> FlowEvidence {
    let estimate = Estimate {
        value: p95_ms * 1000.0,
        lo: Some(p95_ms * 900.0),
        hi: Some(p95_ms * 1100.0),
    };
    FlowEvidence {
        id: "send".to_owned(),
        side: "optimized".to_owned(),
        users: Some(users),
        rate: None,
        requests: 5_000,
        errors: 0,
        duration: 10.0,
        throughput: 500.0,
        p50: estimate,
        p95: estimate,
        p99: estimate,
        generator_lag_p99: None,
        target_ms: 50.0,
        verdict: Verdict::Confirmed,
        reason: String::new(),
        judged: false,
        histogram: String::new(),
    }
}

#[test]
fn the_largest_load_is_the_last_before_the_goal_first_breaks() {
    let flow = Catalogue::builtin().flow(FlowId::Send).unwrap();
    let rows = [at(64, 10.0), at(1, 5.0), at(16, 80.0), at(4, 20.0)];
    let capacity = largest_holding(flow, Side::Optimized, &rows);
    assert_eq!((capacity.max_users, capacity.max_rate), (Some(4), None));
    assert_eq!(largest_holding(flow, Side::Baseline, &rows).max_users, None);
}
