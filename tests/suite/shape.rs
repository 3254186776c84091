//! The shape of a trial: every engine, every kind of promise, many callers, a baseline that
//! fails, and what is given back when nobody can take it back.

use std::time::Duration;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use redis::AsyncCommands;
use verdict_audit::{At, Catalogue, Counter, VariantName, Verdict};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::Error;
use verdict_scenarios::docket;
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{
    AnyOperation, Between, Leaves, Operation, erase, no_such_variant,
};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Connect, Down, Engine, Fault, Step, Store, Table};

use crate::court::{finding, hear, variant};

/// Counts rows in every engine, one operation each: n of them, as many as are asked for.
struct Everywhere;

struct InPostgres;
struct InClickHouse;
struct InRedis;

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

async fn in_postgres(store: &Store, n: u64) -> Result<u64, Fault> {
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

async fn in_redis(store: &Store, n: u64) -> Result<u64, Fault> {
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

/// Today asks for a table that does not exist.
struct FailingToday;

struct Ask;

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

/// Inserts into a ClickHouse table of the world, which nobody takes back row by row.
struct Inserting;

struct Insert;

const FOLLOWS: &[Table] = &[Table::clickhouse("follows_cdc")];

impl Item for Inserting {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        const UP: &[Step] = &[Step::Script(
            Engine::ClickHouse,
            "ALTER TABLE follows_cdc ADD COLUMN made_up UInt8 DEFAULT 7",
        )];
        let renewed = Change {
            up: UP,
            down: Down::Renew,
            touches: FOLLOWS,
            ..Change::NONE
        };
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), renewed),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Insert)]
    }
    fn histories<'a>(
        &'a self,
        session: &'a verdict_scenarios::session::Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut verdict_scenarios::tally::Tally,
    ) -> BoxFuture<'a, verdict_scenarios::Result<()>> {
        Box::pin(async move {
            let client = session.store(variant).clickhouse;
            let of = |sql: &'static str| {
                let query = client.query(sql);
                async move { query.fetch_one::<u64>().await.unwrap() }
            };
            let left = of("SELECT count() FROM follows_cdc WHERE follower_id = 'a test'").await;
            tally.record("what was inserted is gone", same("rows", &0, &left));
            let changed = of("SELECT count() FROM system.columns
                WHERE database = currentDatabase() AND name = 'made_up'")
            .await;
            let due = u64::from(*variant != VariantName::Baseline);
            tally.record(
                "and the change is still there",
                same("columns", &due, &changed),
            );
            Ok(())
        })
    }
}

impl Operation for Insert {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "insert"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }
    fn writes(&self) -> &'static [Table] {
        FOLLOWS
    }
    fn leaves(&self) -> Leaves {
        Leaves::Renew(FOLLOWS)
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, store: &Store, _: &VariantName, (): &()) -> Result<(), Fault> {
        let insert = store.clickhouse.query(
            "INSERT INTO follows_cdc (follower_id, followee_id, created_at, cdc_timestamp)
            VALUES ('a test', 'b', '2025-01-01 00:00:00', 1)",
        );
        Ok(insert.execute().await?)
    }
    fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
        Ok(())
    }
    async fn hold_left(
        &self,
        store: &Store,
        (): &(),
        (): &(),
    ) -> Result<Held, verdict_store::Error> {
        let count = "SELECT count() FROM follows_cdc WHERE follower_id = 'a test'";
        let rows: u64 = store
            .clickhouse
            .query(count)
            .fetch_one()
            .await
            .doing("count what was inserted")?;
        Ok(same("whether it is there", &true, &(rows > 0)))
    }
}

#[test]
fn what_nobody_takes_back_row_by_row_is_given_back_as_the_world_has_it() {
    let finding = finding(
        r#"
        variants = ["proposed"]
        operations = ["insert"]
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    );
    let evidence = hear(&Inserting, &finding).unwrap();
    for heard in &evidence.variants {
        let answers = heard.answers.as_ref().unwrap();
        assert_eq!(answers.differing, 0, "{}: {answers:?}", heard.name);
    }
    let after = hear(&Inserting, &finding).unwrap();
    let answers = after.variants[0].answers.as_ref().unwrap();
    assert_eq!(answers.differing, 0, "{answers:?}");
}

#[test]
fn an_optimized_change_has_to_have_steps_that_take_it_back() {
    struct NoWayBack;
    impl Item for NoWayBack {
        fn id(&self) -> &'static str {
            "cache"
        }
        fn variants(&self) -> Vec<(VariantName, Change)> {
            let renewed = Change {
                down: Down::Renew,
                ..Change::NONE
            };
            vec![
                (VariantName::Baseline, Change::NONE),
                (VariantName::Optimized, renewed),
            ]
        }
        fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
            Vec::new()
        }
    }
    let refused = docket::hold(Catalogue::builtin(), &[&NoWayBack]).unwrap_err();
    assert!(matches!(refused, Error::NoWayBack("cache")), "{refused}");
}

#[test]
fn a_misspelt_variant_or_operation_is_found_at_start() {
    struct Misspelt;
    impl Item for Misspelt {
        fn id(&self) -> &'static str {
            "cache"
        }
        fn variants(&self) -> Vec<(VariantName, Change)> {
            vec![
                (VariantName::Baseline, Change::NONE),
                (
                    VariantName::Proposed(Some("reddis".to_owned())),
                    Change::NONE,
                ),
                (VariantName::Optimized, Change::NONE),
            ]
        }
        fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
            vec![erase(InRedis)]
        }
    }
    let refused = docket::hold(Catalogue::builtin(), &[&Misspelt]).unwrap_err();
    assert!(matches!(refused, Error::Catalogue(_)), "{refused}");
}

/// An operation that says so much of itself, and no more.
#[derive(Debug, Clone, Copy)]
struct Says {
    between: Between,
    writes: &'static [Table],
    leaves: Leaves,
    reads_back: bool,
}

impl Operation for Says {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "redis"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }
    fn between(&self) -> Between {
        self.between
    }
    fn writes(&self) -> &'static [Table] {
        self.writes
    }
    fn leaves(&self) -> Leaves {
        self.leaves
    }
    fn reads_back(&self) -> bool {
        self.reads_back
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, _: &Store, _: &VariantName, (): &()) -> Result<(), Fault> {
        Ok(())
    }
    fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
        Ok(())
    }
}

impl Item for Says {
    fn id(&self) -> &'static str {
        "cache"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(*self)]
    }
}

#[test]
fn an_operation_that_leaves_out_what_its_answers_are_told_right_by_is_found_at_start() {
    let reads = Says {
        between: Between::Drawn,
        writes: &[],
        leaves: Leaves::Nothing,
        reads_back: false,
    };
    let writes = Says {
        between: Between::Unsaid,
        writes: FOLLOWS,
        leaves: Leaves::Rows,
        reads_back: true,
    };
    let refused = |says: Says| {
        let held = docket::hold(Catalogue::builtin(), &[&says]);
        match held {
            Err(Error::Unsaid { lacks, .. }) => Some(lacks),
            _ => None,
        }
    };
    assert_eq!((refused(reads), refused(writes)), (None, None));
    for (says, due) in [
        (
            Says {
                between: Between::Unsaid,
                ..reads
            },
            "write_between",
        ),
        (
            Says {
                between: Between::Nothing(" "),
                ..reads
            },
            "a reason",
        ),
        (
            Says {
                writes: FOLLOWS,
                ..reads
            },
            "tables",
        ),
        (
            Says {
                writes: &[],
                ..writes
            },
            "tables",
        ),
        (
            Says {
                reads_back: false,
                ..writes
            },
            "hold_left",
        ),
    ] {
        let lacks = refused(says);
        assert!(lacks.is_some_and(|lacks| lacks.contains(due)), "{says:?}");
    }
}

#[test]
fn what_is_said_to_be_read_back_or_written_between_and_is_not_makes_answers_wrong() {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["redis"]
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    );
    let says = Says {
        between: Between::Drawn,
        writes: &[],
        leaves: Leaves::Nothing,
        reads_back: false,
    };
    let wrong = Says {
        writes: FOLLOWS,
        leaves: Leaves::Rows,
        reads_back: true,
        ..says
    };
    for (says, due) in [(says, "nothing was written"), (wrong, "nobody looks")] {
        let evidence = hear(&says, &finding).unwrap();
        let fix = variant(&evidence, &VariantName::Optimized);
        let answers = fix.answers.as_ref().unwrap();
        let first = answers.first_difference.as_deref().unwrap();
        assert!(first.contains(due), "{first}");
    }
}

/// A pool of one connection, lent to many callers for longer than they wait.
struct Crowded;

struct Hold;

impl Item for Crowded {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        let connect = |connect: Connect| Connect {
            pool: connect
                .pool
                .max_connections(1)
                .acquire_timeout(Duration::from_millis(250)),
            ..connect
        };
        let narrow = Change {
            connect,
            ..Change::NONE
        };
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), narrow),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Hold)]
    }
}

impl Operation for Hold {
    /// Seconds.
    type Request = f64;
    type Answer = ();

    fn name(&self) -> &'static str {
        "hold"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        let crowd = At {
            n: 1,
            callers: 8,
            round_trip_us: 0,
        };
        vec![At::rung(1), crowd]
    }
    fn at(&self, _: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<f64> {
        Some(if at.callers > 1 { 0.3 } else { 0.0 })
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) -> f64 {
        0.0
    }
    async fn call(&self, store: &Store, _: &VariantName, seconds: &f64) -> Result<(), Fault> {
        sqlx::query("SELECT pg_sleep($1)")
            .bind(seconds)
            .execute(&store.postgres)
            .await?;
        Ok(())
    }
    fn hold(&self, _: &Oracle, _: &f64, (): &()) -> Held {
        Ok(())
    }
}

#[test]
fn a_change_of_the_connection_alone_is_applied_and_what_waits_in_vain_is_counted() {
    let finding = finding(
        r#"
        variants = ["proposed", "optimized"]
        operations = ["hold"]
        [[claim]]
        id = "time-outs"
        promise = "count"
        of = "time_outs"
        today = 1
        fixed = 0
        at = { n = 1, callers = 8 }
        [[claim]]
        id = "tail"
        promise = "ratio"
        of = "p95"
        lo = 1.0
        hi = inf
        at = { n = 1, callers = 8 }
        "#,
    );
    let evidence = hear(&Crowded, &finding).unwrap();
    let of = |name: VariantName, counter| {
        let heard = variant(&evidence, &name);
        let work = heard.work.iter().find(|work| work.at.callers == 8).unwrap();
        work.counters[&counter]
    };
    let narrow = VariantName::Proposed(None);
    assert!(of(narrow.clone(), Counter::TimeOuts) > 0.0);
    assert_eq!(of(VariantName::Baseline, Counter::TimeOuts), 0.0);
    assert!(of(VariantName::Optimized, Counter::PoolWaits) > 0.0);
    let timed = variant(&evidence, &narrow);
    assert_eq!(timed.failure, None);
    let crowd = timed.latency.iter().find(|latency| latency.at.callers == 8);
    assert!(crowd.unwrap().variant.count > 0);
    assert_eq!(timed.claims[0].verdict, Verdict::Regression);
}

#[test]
fn what_a_trial_stands_on_is_there_again_after_tables_are_given_back() {
    struct OnGround;
    impl Item for OnGround {
        fn id(&self) -> &'static str {
            "made-up"
        }
        fn ground(&self) -> Change {
            const UP: &[Step] = &[Step::Script(
                Engine::ClickHouse,
                "CREATE TABLE made_up (n UInt64) ENGINE = MergeTree ORDER BY n;
                INSERT INTO made_up SELECT number FROM numbers(10)",
            )];
            const DOWN: &[Step] = &[Step::Script(Engine::ClickHouse, "DROP TABLE made_up SYNC")];
            const TOUCHES: &[Table] = &[Table::clickhouse("made_up")];
            Change::steps(UP, DOWN, TOUCHES)
        }
        fn variants(&self) -> Vec<(VariantName, Change)> {
            const USERS: &[Table] = &[Table::postgres("users")];
            let renewed = Change {
                down: Down::Renew,
                up: &[Step::Script(
                    Engine::Postgres,
                    "ALTER TABLE users ADD COLUMN made_up int",
                )],
                touches: USERS,
                ..Change::NONE
            };
            vec![
                (VariantName::Baseline, Change::NONE),
                (VariantName::Proposed(None), renewed),
                (VariantName::Optimized, Change::NONE),
            ]
        }
        fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
            vec![erase(Ask), erase(Insert)]
        }
    }
    let finding = finding(
        r#"
        variants = ["proposed", "optimized"]
        operations = ["ask", "insert"]
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    );
    let evidence = hear(&OnGround, &finding).unwrap();
    for heard in &evidence.variants {
        let answers = heard.answers.as_ref().unwrap();
        assert_eq!(answers.differing, 0, "{}: {answers:?}", heard.name);
        assert_eq!(heard.failure, None, "{}", heard.name);
        assert_eq!(heard.operations.len(), 2);
    }
}

/// Today asks PostgreSQL for what the fix has in Redis, and deletes where the fix drops.
struct Elsewhere;

struct Read;
struct Retain;

const EVENTS: &[Table] = &[Table::clickhouse("follows_cdc")];

impl Item for Elsewhere {
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
        vec![erase(Read), erase(Retain)]
    }
}

impl Operation for Read {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "read"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, store: &Store, variant: &VariantName, (): &()) -> Result<(), Fault> {
        match variant {
            VariantName::Baseline => in_postgres(store, 9).await?,
            _ => in_redis(store, 9).await?,
        };
        Ok(())
    }
    fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
        Ok(())
    }
}

impl Operation for Retain {
    /// Followers whose id begins below it.
    type Request = u64;
    type Answer = ();

    fn name(&self) -> &'static str {
        "retain"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        [1, 2, 4].map(At::rung).into()
    }
    fn writes(&self) -> &'static [Table] {
        EVENTS
    }
    fn leaves(&self) -> Leaves {
        Leaves::Renew(EVENTS)
    }
    fn at(&self, _: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<u64> {
        Some(at.n)
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) -> u64 {
        1
    }
    async fn call(&self, store: &Store, variant: &VariantName, n: &u64) -> Result<(), Fault> {
        let delete = match variant {
            VariantName::Baseline => {
                "ALTER TABLE follows_cdc DELETE WHERE cityHash64(follower_id) % 8 < ?
                SETTINGS mutations_sync = 2"
            }
            _ => "ALTER TABLE follows_cdc DROP PARTITION tuple()",
        };
        let query = store.clickhouse.query(delete);
        match variant {
            VariantName::Baseline => query.bind(n).execute().await?,
            _ => query.execute().await?,
        }
        Ok(())
    }
    fn hold(&self, _: &Oracle, _: &u64, (): &()) -> Held {
        Ok(())
    }
    async fn hold_left(
        &self,
        store: &Store,
        _: &u64,
        (): &(),
    ) -> Result<Held, verdict_store::Error> {
        let count = store
            .clickhouse
            .query("SELECT count() FROM follows_cdc WHERE cityHash64(follower_id) % 8 < 1");
        let left: u64 = count.fetch_one().await.doing("count what is left")?;
        Ok(same("rows left", &0, &left))
    }
}

#[test]
fn an_engine_that_is_avoided_counts_nothing_and_what_a_deletion_writes_again_is_counted() {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["read", "retain"]
        [[claim]]
        id = "reads"
        operation = "read"
        promise = "share"
        of = "statements"
        lo = 0.5
        hi = 0.8
        at = 1
        "#,
    );
    let evidence = hear(&Elsewhere, &finding).unwrap();
    let fix = variant(&evidence, &VariantName::Optimized);
    assert_eq!(fix.claims[0].verdict, Verdict::Exceeded, "{:?}", fix.claims);
    let written = |name: &VariantName| -> Vec<f64> {
        let work = variant(&evidence, name).work.iter();
        work.filter(|work| work.operation.as_str() == "retain")
            .map(|work| work.counters[&Counter::RowsWritten])
            .collect()
    };
    let today = written(&VariantName::Baseline);
    assert!(today.iter().all(|rows| *rows > 0.0), "{today:?}");
    assert_eq!(written(&VariantName::Optimized), [0.0, 0.0, 0.0]);
    for heard in &evidence.variants {
        assert_eq!(heard.answers.as_ref().unwrap().differing, 0, "{heard:?}");
    }
}
