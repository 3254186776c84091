//! A made-up run with something of everything a report can show. No figure in it was measured.

use chrono::DateTime;
use hdrhistogram::Histogram;
use verdict_audit::evidence::{
    Answers, Compared, EngineInfo, EngineTime, Estimate, FlowEvidence, FlowRatio, FlowStage,
    FlowWindow, Growth, Host, ItemEvidence, Latency, Percentiles, PlanMode, Plans, Price, PriceOf,
    Ratio, Results, Run, SCHEMA, SelfCheck, VariantEvidence, Work, Zero,
};
use verdict_audit::flow_compare::compare;
use verdict_audit::flow_judge::{largest_holding, mark_judged};
use verdict_audit::histogram::encode;
use verdict_audit::quantile::{Unit as TimeUnit, over_windows};
use verdict_audit::slope::growth;
use verdict_audit::usl::{self, Throughput};
use verdict_audit::{
    At, Catalogue, Counter, FlowId, Side, Unit, Verdict, Warning, judge_flow, judge_self,
};

const RUNGS: [u64; 4] = [100, 1_000, 10_000, 100_000];

/// The whole of it, judged by the real rules.
pub fn results() -> Results {
    let audit = Catalogue::builtin();
    let mut flows = flows();
    mark_judged(&mut flows);
    let capacity = audit
        .targets
        .iter()
        .filter(|target| flows.iter().any(|row| row.id == target.id))
        .flat_map(|flow| [(flow, Side::Baseline), (flow, Side::Optimized)])
        .map(|(flow, side)| {
            let mut capacity = largest_holding(flow, side, &flows);
            let windows: Vec<Throughput> = flows
                .iter()
                .filter(|row| row.id == capacity.id && row.side == capacity.side)
                .filter_map(|row| {
                    Some(Throughput {
                        users: row.users?,
                        rate: row.throughput,
                    })
                })
                .collect();
            capacity.usl = usl::usl(&windows, 7).ok();
            capacity.projection = capacity
                .usl
                .as_ref()
                .zip(flow.demand)
                .map(|(usl, demand)| usl::project(usl, demand));
            capacity
        })
        .collect();
    let mut results = Results {
        schema: SCHEMA,
        run: run(),
        items: [history(), send(), pagination()].map(grown).into(),
        flow_ratios: ratios(&flows),
        targets: Vec::new(),
        flows,
        capacity,
    };
    results.judge();
    results
}

fn run() -> Run {
    let engine = |name: &str, version: &str, settings: &[(&str, &str)]| EngineInfo {
        name: name.to_owned(),
        version: version.to_owned(),
        mode: "embedded".to_owned(),
        settings: settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    Run {
        id: "2026-01-05-0001".to_owned(),
        time: DateTime::from_timestamp(1_767_600_000, 0).expect("a moment in 2026"),
        commit: Some("0123456789ab-dirty".to_owned()),
        host: Host {
            name: "example".to_owned(),
            cpus: 2,
            cpu: "Example CPU at 2.5 GHz".to_owned(),
            memory: 24 << 30,
            os: "Linux 6.1".to_owned(),
        },
        engines: vec![
            engine(
                "postgres",
                "18.6",
                &[("fsync", "on"), ("shared_buffers", "2GB")],
            ),
            engine("clickhouse", "26.7.3", &[("max_threads", "2")]),
            engine("redis", "9.1.2", &[("appendonly", "yes")]),
        ],
        scale: "default".to_owned(),
        seed: 42,
        sizes: [
            ("users".to_owned(), 10_000),
            ("messages".to_owned(), 1_500_000),
        ]
        .into(),
        aa: against_itself(Ratio {
            value: 1.004,
            lo: 0.985,
            hi: 1.023,
        }),
        warnings: vec![Warning::RowsStay],
    }
}

/// Today against itself in as many rounds as a cell has.
pub fn against_itself(ratio: Ratio) -> Option<SelfCheck> {
    let cell = timed("page", [300.0; 4], [300.0; 4]).remove(1);
    let ratio = Some(ratio);
    judge_self(Latency { ratio, ..cell }, 1)
}

fn agreeing(checked: u64) -> Option<Answers> {
    Some(Answers {
        checked,
        ..Answers::default()
    })
}

fn percentiles(p50: f64) -> Percentiles {
    Percentiles {
        count: 4_000,
        p50,
        p95: p50 * 1.8,
        p99: p50 * 3.1,
    }
}

fn ratio(value: f64) -> Ratio {
    Ratio {
        value,
        lo: value * 0.96,
        hi: value * 1.04,
    }
}

fn timed(operation: &str, baseline: [f64; 4], variant: [f64; 4]) -> Vec<Latency> {
    (0..4)
        .map(|i| Latency {
            baseline: Some(percentiles(baseline[i])),
            ratio: Some(ratio(baseline[i] / variant[i])),
            p95_ratio: Some(ratio(baseline[i] / variant[i])),
            rounds: 24,
            p95_rounds: 24,
            seconds: 4.1,
            engine: Some(EngineTime {
                baseline_us: Some(baseline[i] * 0.6),
                variant_us: variant[i] * 0.4,
            }),
            ..Latency::new(
                operation.parse().expect("a name"),
                At::rung(RUNGS[i]),
                percentiles(variant[i]),
            )
        })
        .collect()
}

fn worked(operation: &str, rows: [f64; 4], statements: f64) -> Vec<Work> {
    (0..4)
        .map(|i| Work {
            operation: operation.parse().expect("a name"),
            at: At::rung(RUNGS[i]),
            plan_mode: PlanMode::Auto,
            plans: Some(Plans::Generic),
            counters: [
                (Counter::Statements, statements),
                (Counter::WireTurns, 3.0 * statements),
                (Counter::RowsRead, rows[i]),
                (Counter::WalBytes, 412.0),
            ]
            .into(),
        })
        .collect()
}

fn grown(mut item: ItemEvidence) -> ItemEvidence {
    for variant in &mut item.variants {
        variant.growth = fitted(&variant.work);
    }
    item
}

/// The growth of the rows that an operation reads, where it was counted.
fn fitted(work: &[Work]) -> Vec<Growth> {
    let first = work.first().map(|work| &work.operation);
    let fit = first.map(|of| growth(work, of, PlanMode::Auto, Counter::RowsRead));
    fit.into_iter().flatten().collect()
}

fn variant(name: &str) -> VariantEvidence {
    VariantEvidence {
        answers: agreeing(320),
        ..VariantEvidence::new(name.parse().expect("a name"))
    }
}

const LINEAR: [f64; 4] = [100.0, 1e3, 1e4, 1e5];
const FLAT: [f64; 4] = [60.0; 4];

fn history() -> ItemEvidence {
    let today = [410.0, 620.0, 1_600.0, 9_800.0];
    ItemEvidence {
        number: 1,
        id: "message-history".parse().expect("an id"),
        keep: None,
        variants: vec![
            VariantEvidence {
                work: worked("first-page", [160.0, 1_060.0, 10_060.0, 100_060.0], 3.0),
                ..variant("baseline")
            },
            VariantEvidence {
                work: worked("first-page", [260.0, 3_100.0, 31_000.0, 460_000.0], 1.0),
                latency: timed("first-page", today, [900.0, 7_900.0, 96_000.0, 2_200_000.0]),
                ..variant("proposed")
            },
            VariantEvidence {
                work: worked("first-page", FLAT, 1.0),
                additive: agreeing(40),
                latency: timed("first-page", today, [205.0, 212.0, 219.0, 230.0]),
                price: vec![Price {
                    what: PriceOf::TableSize {
                        table: "messages".to_owned(),
                    },
                    baseline: 0.0,
                    variant: 73_400_320.0,
                    unit: Unit::Bytes,
                }],
                ..variant("optimized")
            },
        ],
    }
}

fn send() -> ItemEvidence {
    let today = [290.0, 520.0, 2_900.0, 27_000.0];
    ItemEvidence {
        number: 2,
        id: "message-send".parse().expect("an id"),
        keep: None,
        variants: vec![
            VariantEvidence {
                work: worked("send", LINEAR, 2.0),
                ..variant("baseline")
            },
            VariantEvidence {
                answers: Some(Answers {
                    checked: 320,
                    differing: 320,
                    first_difference: Some(
                        "send #1 into conversation 7: today number 101, proposed-cte number 100"
                            .to_owned(),
                    ),
                    ..Answers::default()
                }),
                work: worked("send", LINEAR, 1.0),
                latency: timed("send", today, [260.0, 500.0, 2_850.0, 26_800.0]),
                ..variant("proposed-cte")
            },
            VariantEvidence {
                failure: Some(
                    "ERROR: record \"new\" has no field \"sequence_number\" <PL/pgSQL>".to_owned(),
                ),
                answers: None,
                additive: Some(Answers {
                    checked: 40,
                    differing: 8,
                    first_difference: Some("PostgreSQL: no field, for send 3".to_owned()),
                    ..Answers::default()
                }),
                ..variant("proposed-trigger")
            },
            VariantEvidence {
                answers: Some(Answers {
                    checked: 320,
                    differing: 12,
                    first_difference: Some("a number given twice, for send 9".to_owned()),
                    ..Answers::default()
                }),
                ..variant("mended-trigger")
            },
            VariantEvidence {
                work: worked("send", [3.0; 4], 1.0),
                latency: timed("send", today, [230.0, 232.0, 231.0, 236.0]),
                price: vec![Price {
                    what: PriceOf::PerCall {
                        item: "message-send".parse().expect("an id"),
                        operation: "send".parse().expect("a name"),
                        counter: Counter::WalBytes,
                    },
                    baseline: 412.0,
                    variant: 498.0,
                    unit: Unit::Bytes,
                }],
                answers: Some(Answers {
                    checked: 320,
                    declared: vec![
                        "two senders at once: today may repeat a number, the fix never does"
                            .to_owned(),
                    ],
                    ..Answers::default()
                }),
                ..variant("optimized")
            },
        ],
    }
}

fn pagination() -> ItemEvidence {
    let today = [150.0, 310.0, 2_000.0, 21_000.0];
    let mut timings = timed("posts", today, [130.0, 131.0, 133.0, 138.0]);
    timings.extend(timed("history", today, [140.0, 141.0, 143.0, 148.0]));
    let mut page_100 = timings[1].clone();
    page_100.at = At::rung(2_000);
    page_100.ratio = Some(ratio(10.1));
    page_100.zero = Some(Zero {
        ratio: ratio(1.02),
        rounds: 20,
    });
    timings[0].floor = 0.031;
    page_100.operation = "posts".parse().expect("a name");
    timings.push(page_100);
    let both = |rows| {
        let mut work = worked("posts", rows, 1.0);
        work.extend(worked("history", rows, 1.0));
        work
    };
    ItemEvidence {
        number: 7,
        id: "pagination".parse().expect("an id"),
        keep: None,
        variants: vec![
            VariantEvidence {
                work: both(LINEAR),
                ..variant("baseline")
            },
            VariantEvidence {
                work: {
                    let mut two = both([20.0; 4]);
                    two.retain(|work| work.at.n <= RUNGS[1]);
                    two
                },
                answers: None,
                ..variant("proposed")
            },
            VariantEvidence {
                work: both([20.0; 4]),
                latency: timings,
                ..variant("optimized")
            },
        ],
    }
}

fn flows() -> Vec<FlowEvidence> {
    let mut rows = Vec::new();
    for target in &Catalogue::builtin().targets {
        let id = target.id;
        let (slow, quick) = match id {
            FlowId::Send => (9.0, 3.0),
            FlowId::History => (7.0, 2.0),
            FlowId::Page => (40.0, 1.5),
            FlowId::Feed => (60.0, 12.0),
            FlowId::Mix | FlowId::MixUncached => unreachable!("no target speaks of it"),
        };
        for (side, base) in [(Side::Baseline, slow), (Side::Optimized, quick)] {
            for (users, noise) in [(1u32, 1.01), (4, 0.97), (16, 1.03), (64, 0.99)] {
                let n = f64::from(users);
                let drag = noise * (1.0 + 0.06 * (n - 1.0) + 0.0004 * n * (n - 1.0));
                rows.push(level(
                    id,
                    side,
                    base * drag,
                    Some(users),
                    1000.0 * n / base / drag,
                ));
            }
            // Half of what today answers four users.
            rows.push(level(id, side, base * 1.2, None, 1800.0 / slow));
        }
    }
    rows
}

/// The sides at each level in ten windows, and today against itself.
fn ratios(flows: &[FlowEvidence]) -> Vec<FlowRatio> {
    let windows = |row: &FlowEvidence, moods: [f64; 10]| {
        moods.map(|mood| percentiles(row.p50.value * mood)).to_vec()
    };
    let one = [1.0, 1.02, 0.99, 1.01, 1.0, 0.98, 1.03, 1.0, 0.99, 1.01];
    let other = [1.01, 1.0, 1.0, 0.99, 1.02, 1.0, 1.0, 1.01, 0.98, 1.0];
    let mut ratios = Vec::new();
    let (today, optimized): (Vec<_>, Vec<_>) =
        flows.iter().partition(|row| row.side == Side::Baseline);
    for (today, optimized) in today.into_iter().zip(optimized) {
        if today.id == FlowId::Send && today.users == Some(4) {
            let (one, other) = (windows(today, one), windows(today, other));
            ratios.push(compare(Compared::Itself, today, &one, &other));
        }
        let of_few = if today.judged { 10 } else { 2 };
        let (one, other) = (windows(today, one), windows(optimized, other));
        let sides = compare(Compared::Sides, today, &one[..of_few], &other);
        ratios.push(sides);
    }
    ratios
}

fn stages(id: FlowId, side: Side, mean: f64) -> Vec<FlowStage> {
    let shares: &[(&str, f64)] = match (id, side) {
        (FlowId::Feed, Side::Baseline) => {
            &[("candidates", 0.7), ("ranking", 0.05), ("posts", 0.15)]
        }
        (FlowId::Feed, Side::Optimized) => &[("ranked-candidates", 0.6), ("posts", 0.3)],
        _ => &[],
    };
    let stage = |(name, share): &(&str, f64)| {
        let around = |value: f64| Estimate {
            value,
            lo: None,
            hi: None,
        };
        FlowStage {
            name: (*name).to_owned(),
            mean: share * mean,
            p50: around(share * mean * 0.9),
            p95: around(share * mean * 2.0),
        }
    };
    shares.iter().map(stage).collect()
}

/// Calls around a median, with a long tail.
fn latencies(calls: u64, median: f64) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds");
    for call in 0..calls {
        let place = (call as f64 + 0.5) / calls as f64;
        let times = match place {
            ..0.5 => 0.5 + place,
            ..0.95 => 1.0 + (place - 0.5) * 1.2 / 0.45,
            _ => 2.2 + (place - 0.95) * 1.7 / 0.04,
        };
        let recorded = histogram.record((median * times) as u64);
        recorded.expect("within the bounds");
    }
    histogram
}

fn level(id: FlowId, side: Side, p50_ms: f64, users: Option<u32>, throughput: f64) -> FlowEvidence {
    let requests = (throughput * 10.0) as u64;
    let moods = [0.93, 1.0, 1.07, 0.98, 1.02, 0.95, 1.05, 1.0, 0.97, 1.03];
    let windows = moods.map(|mood| latencies(requests / 10, p50_ms * 1e3 * mood));
    let each: Vec<_> = windows.iter().collect();
    let at = |p| over_windows(&each, p, TimeUnit::Microseconds).expect("calls");
    let flow = Catalogue::builtin()
        .target(id)
        .expect("a target of the audit");
    let mut row = FlowEvidence {
        id,
        side,
        users,
        rate: users.is_none().then_some(throughput),
        requests: each.iter().map(|window| window.len()).sum(),
        errors: u64::from(users == Some(64)),
        duration: 10.0,
        throughput,
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
        standing_p95: users.is_some().then(|| at(0.95)),
        generator_lag_p99: users.is_none().then_some(180.0),
        generator_share: Some(0.19),
        target_ms: Some(flow.target_ms(side)),
        verdict: Verdict::Inconclusive,
        reason: String::new(),
        judged: false,
        mean: p50_ms * 1.2e3,
        stages: stages(id, side, p50_ms * 1.2e3),
        windows: windows
            .iter()
            .map(|window| {
                let latencies = encode(window).expect("a histogram");
                FlowWindow {
                    answered: window.len(),
                    standing: users.map(|_| latencies.clone()),
                    stages: Vec::new(),
                    latencies,
                }
            })
            .collect(),
    };
    let judgement = judge_flow(flow, side, &row.load());
    (row.verdict, row.reason) = (judgement.verdict, judgement.reason);
    row
}
