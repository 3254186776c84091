//! What a trial's figures are made of: whose time a call takes, what is kept of it, and WAL
//! that does not depend on when the last checkpoint was.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use verdict_audit::evidence::Latency;
use verdict_audit::{At, Counter, VariantName, histogram};
use verdict_oracle::{Held, Oracle};
use verdict_scenarios::item::Item;
use verdict_scenarios::meters::{Meter, Postgres, Reading};
use verdict_scenarios::operation::{AnyOperation, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::common::{clone, engines, runtime};
use crate::court::{finding, hear, variant};

/// How long a call takes beside what it asks for.
const WAIT: Duration = Duration::from_millis(4);

/// Today waits in PostgreSQL, the variant before it asks: both take as long.
struct Waiting;

impl Item for Waiting {
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
        vec![erase(Wait)]
    }
}

struct Wait;

impl Operation for Wait {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "call"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, store: &Store, variant: &VariantName, (): &()) -> Result<(), Fault> {
        let within = match variant {
            VariantName::Baseline => WAIT.as_secs_f64(),
            _ => {
                tokio::time::sleep(WAIT).await;
                0.0
            }
        };
        sqlx::query("SELECT pg_sleep($1)")
            .bind(within)
            .execute(&store.postgres)
            .await?;
        Ok(())
    }
    fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
        Ok(())
    }
}

fn timed() -> Latency {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["call"]
        [[claim]]
        id = "speed-up"
        promise = "ratio"
        of = "time"
        lo = 2.0
        hi = 4.0
        at = 1
        "#,
    );
    let heard = hear(&Waiting, &finding).unwrap();
    let mut latency = variant(&heard, &VariantName::Optimized).latency.clone();
    latency.remove(0)
}

#[test]
fn the_engines_own_time_is_told_from_the_callers_and_every_call_is_kept() {
    let cell = timed();
    let (today, engine) = (cell.baseline.unwrap(), cell.engine.unwrap());
    let wait = WAIT.as_secs_f64() * 1e6;
    assert!(engine.baseline_us.unwrap() >= wait, "{engine:?}");
    assert!(
        engine.variant_us > 0.0 && engine.variant_us < wait,
        "{engine:?}"
    );
    assert!(cell.variant.p50 >= wait, "the caller waits either way");

    let sides = [
        (today.count, cell.recorded.baseline.unwrap()),
        (cell.variant.count, cell.recorded.variant),
    ];
    for (calls, kept) in sides {
        assert_eq!(kept.rounds_us.len(), cell.rounds);
        assert!(kept.rounds_us.iter().all(|typical| *typical >= wait));
        let kept = histogram::decode(&kept.histogram).unwrap();
        assert_eq!(kept.len(), calls);
        assert!(kept.min() as f64 >= 0.99 * 1e3 * wait, "nanoseconds");
    }
    assert!(cell.seconds > 0.0 && cell.smallest_effect.unwrap() > 0.0);
}

/// What is counted of an update of one row of a full page.
async fn update(pool: &PgPool, meter: &mut Postgres) -> Reading {
    meter.begin().await.unwrap();
    sqlx::query("UPDATE full_page SET n = n + 1 WHERE id = 7")
        .execute(pool)
        .await
        .unwrap();
    meter.end().await.unwrap()
}

#[test]
fn wal_of_a_call_right_after_a_checkpoint_is_told_without_the_images_of_pages() {
    runtime().block_on(async {
        let options = clone("figures_wal").await.postgres;
        let one = PgPoolOptions::new().max_connections(1);
        let pool = one.connect_with(options).await.unwrap();
        let run = async |statement: &'static str| {
            sqlx::query(statement).execute(&pool).await.unwrap();
        };
        run("CREATE TABLE full_page AS
            SELECT id, 0 AS n, REPEAT('x', 60) AS rest FROM GENERATE_SERIES(1, 60) AS id")
        .await;
        let mut meter = Postgres::new(&pool).await;
        update(&pool, &mut meter).await;
        run("CHECKPOINT").await;
        let first = update(&pool, &mut meter).await;
        let second = update(&pool, &mut meter).await;
        pool.close().await;
        engines().await.drop_sandbox("figures_wal").await.unwrap();

        assert!(first[&Counter::FullPageImages] >= 1.0, "{first:?}");
        assert_eq!(second[&Counter::FullPageImages], 0.0, "{second:?}");
        let (first, second) = (first[&Counter::WalBytes], second[&Counter::WalBytes]);
        // An image of this page is some 6 KiB.
        assert!((50.0..1_000.0).contains(&first), "{first}");
        assert!((50.0..1_000.0).contains(&second), "{second}");
    });
}
