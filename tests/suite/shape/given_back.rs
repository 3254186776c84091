//! What nobody takes back row by row, and what a trial stands on, is there again.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Leaves, Operation, erase};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Down, Engine, Fault, Step, Store, Table};

use super::failing::Ask;
use crate::court::{finding, hear};

/// Inserts into a ClickHouse table of the world, which nobody takes back row by row.
struct Inserting;

struct Insert;

pub const FOLLOWS: &[Table] = &[Table::clickhouse("follows_cdc")];

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
