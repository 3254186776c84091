//! Work that a fix avoids in one engine and has in another.

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, Counter, VariantName, Verdict};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Leaves, Operation, erase};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Fault, Store, Table};

use super::everywhere::{in_postgres, in_redis};
use crate::court::{finding, hear, variant};

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
