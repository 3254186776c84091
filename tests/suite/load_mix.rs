//! All operations at once under load, out of the cache and past it.

use std::time::Duration;

use verdict_audit::{FlowId, Side, Verdict};
use verdict_load::{Databases, LoadPlan};

use crate::common::runtime;
use crate::load::Stage;

const FLOWS: [FlowId; 2] = [FlowId::Mix, FlowId::MixUncached];

fn plan() -> LoadPlan {
    LoadPlan {
        flows: FLOWS.to_vec(),
        users: vec![4],
        window: Duration::from_millis(300),
        windows: 2,
        judged_windows: 2,
        self_checks: 0,
        warm_up: Duration::from_millis(200),
        ..LoadPlan::short()
    }
}

#[test]
fn the_mix_is_answered_rightly_out_of_the_cache_and_past_it_and_writes_around_the_cache_are_told() {
    runtime().block_on(async {
        let stage = Stage::open("load_mix").await;
        let before = stage.sums().await;
        let (outcome, _) = stage.load(&plan(), Some(&stage.databases)).await;
        for (flow, answers) in &outcome.answers {
            for side in [Side::Baseline, Side::Optimized] {
                let answers = answers.of(side);
                assert!(answers.checked > 60, "{flow} {side}: {}", answers.checked);
                assert_eq!(answers.differing, 0, "{flow} {side}: {answers:?}");
            }
        }
        // Both loops of both sides, and no target that is kept or missed.
        assert_eq!(outcome.flows.len(), 8);
        for row in &outcome.flows {
            assert_eq!((row.errors, row.target_ms), (0, None), "{}", row.reason);
            assert_eq!(row.verdict, Verdict::Inconclusive, "{}", row.reason);
        }
        assert_eq!(outcome.targets, []);
        assert_eq!(stage.sums().await, before);

        // Who does not know of the cache leaves in it what was right before.
        let careless = Databases {
            cache: None,
            ..stage.databases.clone()
        };
        let plan = LoadPlan {
            judged_windows: 5,
            ..plan()
        };
        let (outcome, _) = stage.load(&plan, Some(&careless)).await;
        for (flow, answers) in &outcome.answers {
            assert_eq!(answers.baseline.differing, 0, "{flow}: {answers:?}");
            let stale = answers.optimized.differing > 0;
            assert_eq!(stale, *flow == FlowId::Mix, "{flow}: {answers:?}");
        }
    });
}
