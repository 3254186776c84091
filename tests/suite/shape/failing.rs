//! A baseline that fails.

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName, Verdict};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Engine, Fault, Step, Store, Table};

use crate::court::{finding, hear, variant};

/// Today asks for a table that does not exist.
struct FailingToday;

pub struct Ask;

impl Item for FailingToday {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        const UP: &[Step] = &[Step::Script(
            Engine::ClickHouse,
            "CREATE TABLE made_up (n UInt64) ENGINE = MergeTree ORDER BY n;
            INSERT INTO made_up SELECT number FROM numbers(10)",
        )];
        const DOWN: &[Step] = &[Step::Script(Engine::ClickHouse, "DROP TABLE made_up SYNC")];
        const TOUCHES: &[Table] = &[Table::clickhouse("made_up")];
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::steps(UP, DOWN, TOUCHES)),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Ask)]
    }
}

impl Operation for Ask {
    type Request = ();
    type Answer = u64;

    fn name(&self) -> &'static str {
        "ask"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(10)]
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, store: &Store, _: &VariantName, (): &()) -> Result<u64, Fault> {
        let query = store.clickhouse.query("SELECT count() FROM made_up");
        Ok(query.fetch_one().await?)
    }
    fn hold(&self, _: &Oracle, (): &(), answer: &u64) -> Held {
        same("rows", &10, answer)
    }
}

#[test]
fn a_baseline_that_fails_is_evidence_and_the_variant_beside_it_is_tried() {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["ask"]
        [[claim]]
        id = "runs"
        promise = "runs"
        [[claim]]
        id = "faster"
        promise = "ratio"
        of = "time"
        lo = 2.0
        hi = 3.0
        at = 10
        "#,
    );
    let evidence = hear(&FailingToday, &finding).unwrap();
    let today = variant(&evidence, &VariantName::Baseline);
    let words = today.failure.as_deref().unwrap();
    assert!(words.contains("made_up"), "{words}");
    let fix = variant(&evidence, &VariantName::Optimized);
    assert_eq!(fix.failure, None);
    assert_eq!(fix.answers.as_ref().unwrap().differing, 0);
    assert!(!fix.work.is_empty());
    let latency = &fix.latency[0];
    assert!(latency.baseline.is_none() && latency.ratio.is_none());
    assert!(latency.variant.count > 0);
    let verdict = |id: &str| {
        fix.claims
            .iter()
            .find(|claim| claim.id == id)
            .unwrap()
            .verdict
    };
    assert_eq!(verdict("runs"), Verdict::Confirmed);
    assert_eq!(verdict("faster"), Verdict::Inconclusive);
}
