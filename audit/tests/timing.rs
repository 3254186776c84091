//! What a promise on time comes to: what could have been told, what would decide, and what a
//! gain is made of.

use verdict_audit::evidence::{
    Answers, ClaimEvidence, EngineTime, ItemEvidence, Latency, Percentiles, PlanMode, Ratio,
    Results, SCHEMA, VariantEvidence, Work, Zero,
};
use verdict_audit::{At, Counter, Finding, VariantName, Verdict, gain, judge_self};

fn finding(at: u64) -> Finding {
    toml::from_str(&format!(
        r#"
        number = 1
        id = "made-up"
        title = "made up"
        source = "nowhere"
        variants = ["optimized"]
        operations = ["page"]
        [[claim]]
        id = "speed-up"
        promise = "ratio"
        of = "time"
        lo = 2.0
        hi = 4.0
        at = {at}
        "#,
    ))
    .expect("a finding")
}

fn percentiles(p50: f64) -> Percentiles {
    Percentiles {
        count: 400,
        p50,
        p95: 2.0 * p50,
        p99: 3.0 * p50,
    }
}

/// A cell at 1 000 rows: so many times faster, to within a factor.
fn cell(value: f64, half: f64) -> Latency {
    let name = "page".parse().expect("a name");
    Latency {
        baseline: Some(percentiles(1_000.0)),
        ratio: Some(Ratio {
            value,
            lo: value / half,
            hi: value * half,
        }),
        rounds: 20,
        seconds: 4.0,
        engine: Some(EngineTime {
            baseline_us: Some(300.0),
            variant_us: 100.0,
        }),
        ..Latency::new(name, At::rung(1_000), percentiles(1_000.0 / value))
    }
}

fn side(name: VariantName, statements: f64) -> VariantEvidence {
    VariantEvidence {
        answers: Some(Answers {
            checked: 300,
            ..Answers::default()
        }),
        work: vec![Work {
            operation: "page".parse().expect("a name"),
            at: At::rung(1_000),
            plan_mode: PlanMode::Auto,
            plans: None,
            counters: [
                (Counter::Statements, statements),
                (Counter::WireTurns, 3.0 * statements),
            ]
            .into(),
        }],
        ..VariantEvidence::new(name)
    }
}

/// The cell as it is judged among so many, and the claim.
fn judged(cell: Latency, at: u64, cells: usize) -> (Latency, ClaimEvidence) {
    let mut fix = side(VariantName::Optimized, 1.0);
    fix.latency = vec![cell];
    let mut item = ItemEvidence {
        number: 1,
        id: "made-up".parse().expect("an id"),
        keep: None,
        variants: vec![side(VariantName::Baseline, 3.0), fix],
    };
    item.judge(&finding(at), cells);
    let mut fix = item.variants.remove(1);
    (fix.latency.remove(0), fix.claims.remove(0))
}

#[test]
fn every_ratio_says_what_it_could_have_told_at_the_level_of_a_verdict_and_above_its_floor() {
    let effect = |cell, cells| judged(cell, 1_000, cells).0.smallest_effect.expect("one");
    let alone = effect(cell(3.0, 1.02), 1);
    assert!((alone - 0.02).abs() < 1e-4, "{alone}");
    let among = effect(cell(3.0, 1.02), 100);
    assert!(among > 1.5 * alone, "{among}");
    let floored = Latency {
        floor: 0.05,
        ..cell(3.0, 1.02)
    };
    assert!(effect(floored, 1) > 0.07);
}

#[test]
fn today_against_itself_is_judged_as_the_cells_beside_it_are() {
    let check = |value, half, cells| judge_self(cell(value, half), cells).expect("a ratio");
    assert_eq!(check(1.0, 1.02, 1).verdict, Verdict::NoEffect);
    let wide = check(1.0, 1.04, 300);
    assert_eq!(wide.verdict, Verdict::Inconclusive, "among all of the run");
    assert!(wide.reason.contains("would decide"), "{}", wide.reason);
    assert_eq!(check(1.01, 1.2, 1).verdict, Verdict::Inconclusive);
    for value in [0.8, 1.2] {
        let apart = check(value, 1.05, 1);
        assert_eq!(apart.verdict, Verdict::Inconclusive, "no gain and no loss");
        assert!(apart.reason.contains("no difference"), "{}", apart.reason);
    }
    let few = Latency {
        ratio: None,
        ..cell(1.0, 1.02)
    };
    assert!(judge_self(few, 1).is_none());
}

#[test]
fn the_interval_that_a_verdict_rests_on_is_kept_and_named_where_it_decides_otherwise() {
    let (alone, claim) = judged(cell(2.1, 1.03), 1_000, 1);
    let shown = alone.ratio.expect("a ratio");
    let rests_on = alone.judged.expect("an interval");
    assert!((rests_on.lo / shown.lo - 1.0).abs() < 1e-3 && alone.p95_judged.is_none());
    assert_eq!(claim.verdict, Verdict::Confirmed);
    assert!(!claim.reason.contains("by itself"), "{}", claim.reason);

    let (among, claim) = judged(cell(2.1, 1.03), 1_000, 200);
    let rests_on = among.judged.expect("an interval");
    assert!(rests_on.lo < 2.0 && rests_on.lo < shown.lo && rests_on.hi > shown.hi);
    assert_eq!(among.smallest_effect, Some(rests_on.smallest_effect()));
    assert_eq!(claim.verdict, Verdict::Inconclusive);
    let words =
        format!("{shown} by itself would be confirmed, and the verdict rests on {rests_on}");
    assert!(claim.reason.contains(&words), "{}", claim.reason);

    let floored = Latency {
        floor: 0.1,
        ..cell(2.1, 1.03)
    };
    let (_, claim) = judged(floored, 1_000, 1);
    assert!(claim.reason.contains("10.0 % apart"), "{}", claim.reason);
}

#[test]
fn an_open_claim_says_how_much_longer_would_decide() {
    let (open, claim) = judged(cell(2.1, 1.1), 1_000, 1);
    assert_eq!(claim.verdict, Verdict::Inconclusive);
    let longer = open.to_decide.expect("a length");
    assert!(longer.rounds > open.rounds && longer.seconds > open.seconds);
    let pace = longer.seconds / longer.rounds as f64;
    assert!((pace - open.seconds / open.rounds as f64).abs() < 0.01);
    let words = format!("about {} rounds in place of 20 would decide", longer.rounds);
    assert!(claim.reason.contains(&words), "{}", claim.reason);

    let (decided, claim) = judged(cell(3.0, 1.1), 1_000, 1);
    assert_eq!(
        (claim.verdict, decided.to_decide),
        (Verdict::Confirmed, None)
    );
}

#[test]
fn what_is_nearer_to_a_border_than_copies_are_apart_is_decided_by_no_length_of_a_run() {
    let floored = Latency {
        floor: 0.08,
        ..cell(2.1, 1.02)
    };
    let (open, claim) = judged(floored, 1_000, 1);
    assert_eq!(
        (claim.verdict, open.to_decide),
        (Verdict::Inconclusive, None)
    );
    assert!(
        claim.reason.contains("no length of this run") && claim.reason.contains("8.0 %"),
        "{}",
        claim.reason
    );
}

#[test]
fn a_gain_is_parted_into_the_engines_time_and_what_is_saved_beside_it() {
    let (_, claim) = judged(cell(2.5, 1.02), 1_000, 1);
    assert!(
        claim.reason.ends_with(
            "of 600 µs saved, 200 µs is the engine's own time, 3.0x by its clock; \
             2 statements (133 µs) and 4 pings (267 µs) fewer make up the rest, \
             at 67 µs each; of the 400 µs left, 300 µs are the wire and the client"
        ),
        "{}",
        claim.reason
    );
    let of = |cell: &Latency, statements: f64| {
        let today = side(VariantName::Baseline, statements);
        gain(cell, &today, &side(VariantName::Optimized, 1.0))
    };
    // One statement on both sides: nothing else is saved.
    let same = of(&cell(2.5, 1.02), 1.0).expect("a gain");
    assert_eq!(
        same,
        "of 600 µs saved, 200 µs is the engine's own time, 3.0x by its clock; \
         of the 400 µs left, 300 µs are the wire and the client"
    );
    let mut engine = cell(1.1, 1.02);
    let all = of(&engine, 3.0).expect("a gain");
    assert_eq!(
        all,
        "of 91 µs saved, all is the engine's own time, 3.0x by its clock; \
         of the 909 µs left, 809 µs are the wire and the client"
    );
    let mut writes = side(VariantName::Optimized, 1.0);
    writes.work[0].counters.insert(Counter::WalBytes, 400.0);
    let written = gain(&engine, &side(VariantName::Baseline, 1.0), &writes).expect("a gain");
    assert!(
        written.ends_with("809 µs are the commit, the wire and the client"),
        "{written}"
    );
    engine.engine = None;
    assert_eq!(of(&engine, 3.0), None);
    assert_eq!(of(&cell(0.9, 1.02), 3.0), None, "no gain");
    assert_eq!(of(&cell(1.01, 1.02), 3.0), None, "none that is sure");
}

#[test]
fn a_claim_beyond_the_worlds_ladder_says_which_scale_it_needs() {
    let (_, claim) = judged(cell(2.5, 1.02), 100_000, 1);
    assert_eq!(claim.verdict, Verdict::Inconclusive);
    assert!(
        claim.reason.contains("n = 100000") && claim.reason.contains("--scale default"),
        "{}",
        claim.reason
    );
    let (_, claim) = judged(cell(2.5, 1.02), 500, 1);
    assert!(claim.reason.contains("or offer it"), "{}", claim.reason);
}

#[test]
fn a_floor_is_as_high_as_copies_were_apart_anywhere_in_the_run() {
    let zero = |value: f64| Zero {
        ratio: Ratio {
            value,
            lo: 0.99 * value,
            hi: 1.01 * value,
        },
        rounds: 20,
    };
    let taken = cell(2.0, 1.02).taken_from(zero(1.0 / 1.09), None, 0.03);
    let rewritten = Latency {
        floor: 0.03,
        ..cell(2.0, 1.02)
    };
    let mut results: Results = toml::from_str(&format!(
        r#"
        schema = {SCHEMA}
        items = []
        [run]
        id = "1"
        time = "2026-01-05T00:00:00Z"
        engines = []
        scale = "smoke"
        seed = 1
        host = {{ name = "", cpus = 2, cpu = "", memory = 1, os = "" }}
        "#
    ))
    .expect("results");
    let mut variant = side(VariantName::Optimized, 1.0);
    variant.latency = vec![rewritten, taken, cell(2.0, 1.02)];
    results.items.push(ItemEvidence {
        number: 1,
        id: "made-up".parse().expect("a name"),
        keep: None,
        variants: vec![variant],
    });
    results.raise_floors();
    let latency = &results.items[0].variants[0].latency;
    let floors: Vec<f64> = latency.iter().map(|cell| cell.floor).collect();
    assert!((floors[0] - 0.09).abs() < 1e-9, "{floors:?}");
    assert_eq!(floors[1..], [0.0, 0.0], "one database, or a zero");
}
