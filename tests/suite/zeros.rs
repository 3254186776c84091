//! The zero that a ratio between two copies of a database is taken from, and where there is none.

use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Latency;
use verdict_audit::{At, VariantName};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Between, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Engine, Fault, Step, Store, Table};

use crate::court::{finding, hear, variant};

/// A change that brings an index which no call here looks into, so that the copies stay as they
/// were.
struct Beside(Change);

const IN_POSTGRES: Change = Change::steps(
    &[Step::Script(
        Engine::Postgres,
        "CREATE INDEX beside ON follows (follower_id)",
    )],
    &[Step::Script(Engine::Postgres, "DROP INDEX beside")],
    &[Table::postgres("follows")],
);

const IN_CLICKHOUSE: Change = Change::steps(
    &[Step::Script(
        Engine::ClickHouse,
        "ALTER TABLE follows_cdc ADD INDEX beside follower_id TYPE minmax",
    )],
    &[Step::Script(
        Engine::ClickHouse,
        "ALTER TABLE follows_cdc DROP INDEX beside",
    )],
    &[Table::clickhouse("follows_cdc")],
);

struct Count;

impl Item for Beside {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, self.0),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Count)]
    }
}

impl Operation for Count {
    type Request = u64;
    type Answer = u64;

    fn name(&self) -> &'static str {
        "count"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(100)]
    }
    fn at(&self, _: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<u64> {
        Some(at.n)
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) -> u64 {
        3
    }
    fn between(&self) -> Between {
        Between::Nothing("it counts as many rows as it is asked to")
    }
    async fn call(&self, store: &Store, _: &VariantName, n: &u64) -> Result<u64, Fault> {
        let count = "SELECT count() FROM (SELECT id FROM posts_cdc LIMIT ?)";
        Ok(store.clickhouse.query(count).bind(n).fetch_one().await?)
    }
    fn hold(&self, _: &Oracle, n: &u64, answer: &u64) -> Held {
        same("rows", n, answer)
    }
}

/// A call that a change does not touch, timed with it and without.
fn timed(change: Change) -> Latency {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["count"]
        [[claim]]
        id = "speed-up"
        promise = "ratio"
        of = "time"
        lo = 2.0
        hi = 4.0
        at = 100
        "#,
    );
    let evidence = hear(&Beside(change), &finding).unwrap();
    let fix = variant(&evidence, &VariantName::Optimized);
    assert_eq!((&fix.failure, fix.latency.len()), (&None, 1));
    fix.latency[0].clone()
}

#[test]
fn a_change_in_clickhouse_leaves_no_zero_and_only_how_far_apart_copies_may_be() {
    let cell = timed(IN_POSTGRES);
    assert!(cell.zero.is_some() && cell.floor == 0.0, "{cell:?}");
    let cell = timed(IN_CLICKHOUSE);
    assert!(cell.zero.is_none() && cell.p95_zero.is_none(), "{cell:?}");
    assert!(cell.ratio.is_some() && cell.floor > 0.0, "{cell:?}");
}
