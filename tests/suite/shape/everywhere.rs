//! Every engine and every kind of promise, counted, timed and judged.

use rand_chacha::ChaCha8Rng;
use redis::AsyncCommands;
use verdict_audit::{At, Counter, VariantName, Verdict};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Between, Operation, erase, no_such_variant};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::court::{finding, hear, variant};

/// Counts rows in every engine, one operation each: n of them, as many as are asked for.
struct Everywhere;

struct InPostgres;
struct InClickHouse;
pub struct InRedis;

impl Item for Everywhere {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(InPostgres), erase(InClickHouse), erase(InRedis)]
    }
}

/// Today takes `n` calls for what the fix does in one.
fn repetitions(variant: &VariantName, n: u64) -> Result<u64, Fault> {
    match variant {
        VariantName::Baseline => Ok(n),
        VariantName::Optimized => Ok(1),
        _ => Err(no_such_variant(variant)),
    }
}

macro_rules! counts {
    ($operation:ty, $name:literal, $rungs:expr, $once:expr) => {
        impl Operation for $operation {
            type Request = u64;
            type Answer = u64;

            fn name(&self) -> &'static str {
                $name
            }

            fn rungs(&self, _: &World) -> Vec<At> {
                $rungs
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
            async fn call(
                &self,
                store: &Store,
                variant: &VariantName,
                n: &u64,
            ) -> Result<u64, Fault> {
                for _ in 1..repetitions(variant, *n)? {
                    $once(store, *n).await?;
                }
                $once(store, *n).await
            }
            fn hold(&self, _: &Oracle, n: &u64, answer: &u64) -> Held {
                same("rows", n, answer)
            }
        }
    };
}

pub async fn in_postgres(store: &Store, n: u64) -> Result<u64, Fault> {
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM (SELECT id FROM users LIMIT $1) AS u")
        .bind(n as i64)
        .fetch_one(&store.postgres)
        .await?;
    Ok(rows as u64)
}

async fn in_clickhouse(store: &Store, n: u64) -> Result<u64, Fault> {
    let query = store
        .clickhouse
        .query("SELECT count() FROM (SELECT id FROM posts_cdc LIMIT ?)");
    Ok(query.bind(n).fetch_one().await?)
}

pub async fn in_redis(store: &Store, n: u64) -> Result<u64, Fault> {
    let mut redis = store.redis.clone();
    let _: () = redis.set("n", n).await?;
    store.client.hit();
    Ok(redis.get("n").await?)
}

fn ladder() -> Vec<At> {
    [2, 4, 8].map(At::rung).into()
}

counts!(InPostgres, "postgres", ladder(), in_postgres);
counts!(InClickHouse, "clickhouse", ladder(), in_clickhouse);
counts!(
    InRedis,
    "redis",
    [
        At::rung(2),
        At::rung(4),
        At::rung(8),
        At {
            n: 2,
            callers: 32,
            round_trip_us: 0
        },
        At {
            n: 2,
            callers: 1,
            round_trip_us: 2_000
        }
    ]
    .into(),
    in_redis
);

#[test]
fn every_engine_is_counted_timed_and_judged_by_every_kind_of_promise() {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["postgres", "clickhouse", "redis"]
        [[claim]]
        id = "faster"
        operation = "redis"
        promise = "ratio"
        of = "time"
        lo = 1.5
        hi = 100.0
        at = 8
        [[claim]]
        id = "crowded"
        operation = "redis"
        promise = "ratio"
        of = "p95"
        lo = 1.0
        hi = inf
        at = { n = 2, callers = 32 }
        [[claim]]
        id = "far"
        operation = "redis"
        promise = "ratio"
        of = "time"
        lo = 1.5
        hi = 3.0
        at = { n = 2, round_trip_us = 2000 }
        [[claim]]
        id = "fewer-rows"
        operation = "clickhouse"
        promise = "ratio"
        of = "rows_read"
        lo = 8.0
        hi = 8.0
        at = 8
        [[claim]]
        id = "statements"
        operation = "postgres"
        promise = "count"
        of = "statements"
        today = 4
        fixed = 1
        at = 4
        [[claim]]
        id = "share"
        operation = "redis"
        promise = "share"
        of = "redis_commands"
        lo = 0.5
        hi = 0.8
        at = 4
        [[claim]]
        id = "growth"
        operation = "clickhouse"
        promise = "growth"
        of = "rows_read"
        today = "O(n)"
        fixed = "O(1)"
        [[claim]]
        id = "growth-of-statements"
        operation = "postgres"
        promise = "growth"
        of = "statements"
        today = "O(n)"
        fixed = "O(1)"
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    );
    let evidence = hear(&Everywhere, &finding).unwrap();
    let fix = variant(&evidence, &VariantName::Optimized);
    assert_eq!(fix.answers.as_ref().unwrap().differing, 0, "{fix:?}");
    let counted = |operation: &str, counter| {
        let work = fix
            .work
            .iter()
            .find(|work| work.operation.as_str() == operation);
        work.unwrap().counters.get(&counter).copied()
    };
    assert_eq!(counted("postgres", Counter::Statements), Some(1.0));
    assert_eq!(counted("clickhouse", Counter::Statements), Some(1.0));
    assert!(counted("clickhouse", Counter::RowsRead) > Some(0.0));
    assert!(counted("clickhouse", Counter::MarksRead) > Some(0.0));
    assert_eq!(counted("redis", Counter::RedisCommands), Some(2.0));
    assert_eq!(counted("redis", Counter::WireTurns), Some(2.0));
    assert_eq!(counted("redis", Counter::Hits), Some(1.0));
    assert_eq!(counted("redis", Counter::Statements), Some(0.0));
    for claim in [
        "faster",
        "statements",
        "share",
        "growth-of-statements",
        "runs",
    ] {
        let judged = fix.claims.iter().find(|judged| judged.id == claim).unwrap();
        assert!(
            matches!(judged.verdict, Verdict::Confirmed | Verdict::Exceeded),
            "{judged:?}"
        );
    }
    let mut places = fix.latency.iter();
    let far = places
        .find(|latency| latency.at.round_trip_us == 2_000)
        .unwrap();
    // A line holds back at least as long as it was asked to, and a call is two turns.
    assert!(far.measured_round_trip_us >= Some(2_000.0), "{far:?}");
    assert!(far.variant.p50 >= 4_000.0, "{far:?}");
    let crowded = fix
        .latency
        .iter()
        .find(|latency| latency.at.callers == 32)
        .unwrap();
    assert!(crowded.ratio.is_some(), "{crowded:?}");
}
