//! The ladder of events: at each rung ClickHouse holds a part of the world, in a database of its
//! own, and so does the oracle; changes are made, and taken back, on all of them.

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, Counter, VariantName, Verdict};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{
    AnyOperation, Between, Ladder, Leaves, Operation, erase, event_rungs, no_such_variant,
};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Engine, Fault, Step, Store, Table};

use crate::common::{engines, runtime, world};
use crate::court::{finding, hear, variant};

/// Counts posts that are not deleted: today over all versions, the fix in a table of its own.
struct Counting;

struct Count;
struct Add;

const MADE: &[Table] = &[Table::clickhouse("made_up")];
const POSTS: &[Table] = &[Table::clickhouse("posts_cdc")];

impl Item for Counting {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        const UP: &[Step] = &[Step::Script(
            Engine::ClickHouse,
            "CREATE TABLE made_up (posts UInt64) ENGINE = MergeTree ORDER BY ();
            INSERT INTO made_up SELECT count() FROM posts_cdc FINAL WHERE is_deleted = 0;",
        )];
        const DOWN: &[Step] = &[Step::Script(Engine::ClickHouse, "DROP TABLE made_up SYNC")];
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::steps(UP, DOWN, MADE)),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Count), erase(Add)]
    }
}

impl Operation for Count {
    type Request = ();
    type Answer = u64;

    fn name(&self) -> &'static str {
        "count"
    }
    fn rungs(&self, world: &World) -> Vec<At> {
        event_rungs(world)
    }
    fn ladder(&self) -> Ladder {
        Ladder::Events
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    fn between(&self) -> Between {
        Between::Nothing("posts are what the generator made")
    }
    async fn call(&self, store: &Store, variant: &VariantName, (): &()) -> Result<u64, Fault> {
        let count = match variant {
            VariantName::Baseline => "SELECT count() FROM posts_cdc FINAL WHERE is_deleted = 0",
            VariantName::Optimized => "SELECT max(posts) FROM made_up",
            _ => return Err(no_such_variant(variant)),
        };
        Ok(store.clickhouse.query(count).fetch_one().await?)
    }
    fn hold(&self, oracle: &Oracle, (): &(), posts: &u64) -> Held {
        let events = oracle.events();
        let standing = events.posts().filter(|(_, post)| !post.deleted);
        same("posts", &(standing.count() as u64), posts)
    }
}

impl Operation for Add {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "add"
    }
    fn rungs(&self, world: &World) -> Vec<At> {
        Count.rungs(world)
    }
    fn ladder(&self) -> Ladder {
        Ladder::Events
    }
    fn writes(&self) -> &'static [Table] {
        POSTS
    }
    fn leaves(&self) -> Leaves {
        Leaves::Renew(POSTS)
    }
    fn reads_back(&self) -> bool {
        true
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, store: &Store, _: &VariantName, (): &()) -> Result<(), Fault> {
        let insert = store.clickhouse.query(
            "INSERT INTO posts_cdc (id, user_id, content, created_at, cdc_timestamp)
            VALUES ('0-a-test', 'b', '', '2025-01-01 00:00:00', 1)",
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
        let count = "SELECT uniqExact(id) FROM posts_cdc WHERE id = '0-a-test'";
        let query = store.clickhouse.query(count);
        let rows: u64 = query.fetch_one().await.doing("count what was inserted")?;
        Ok(same("posts of the test", &1, &rows))
    }
}

#[test]
fn a_rung_of_events_is_a_part_of_the_world_with_every_change_on_it() {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["count", "add"]
        [[claim]]
        id = "growth"
        operation = "count"
        promise = "growth"
        of = "rows_read"
        today = "O(n)"
        fixed = "O(1)"
        [[claim]]
        id = "fewer-rows"
        operation = "count"
        promise = "ratio"
        of = "rows_read"
        lo = 100.0
        hi = inf
        at = 30000
        "#,
    );
    let evidence = hear(&Counting, &finding).unwrap();
    for heard in &evidence.variants {
        assert_eq!(heard.failure, None);
        assert_eq!(heard.answers.as_ref().unwrap().differing, 0, "{heard:?}");
    }
    let today = variant(&evidence, &VariantName::Baseline);
    let read = |n: u64| {
        let at = At::rung(n);
        let mut work = today.work.iter().filter(|work| work.at == at);
        let work = work
            .find(|work| work.operation.as_str() == "count")
            .unwrap();
        work.counters[&Counter::RowsRead]
    };
    let share = read(1_000) / read(30_000);
    assert!((0.5..2.0).contains(&(share * 30.0)), "{share}");
    let written: Vec<f64> = today
        .work
        .iter()
        .filter(|work| work.operation.as_str() == "add")
        .map(|work| work.counters[&Counter::RowsWritten])
        .collect();
    assert_eq!(written, [1.0; 3]);
    let fix = variant(&evidence, &VariantName::Optimized);
    for claim in &fix.claims {
        let good = matches!(claim.verdict, Verdict::Confirmed | Verdict::Exceeded);
        assert!(good, "{claim:?}");
    }
}

#[test]
fn todays_views_are_in_the_world_and_answer_by_its_clock() {
    runtime().block_on(async {
        let side = engines().await.sandbox("views").await.unwrap();
        let clickhouse = &side.endpoints().clickhouse;
        let count =
            async |query: &str| -> u64 { clickhouse.query(query).fetch_one().await.expect(query) };
        let events = Oracle::new(&world()).events();
        let posts = count("SELECT count() FROM posts_latest").await;
        assert_eq!(posts, events.posts().count() as u64);
        let hours = count("SELECT count() FROM post_metrics_1h WHERE likes_count > 0").await;
        assert!(hours > 0);
        let pairs = count("SELECT count() FROM user_author_90d").await;
        assert!(pairs > 0);

        // What the newest versions say is what the oracle says.
        let user = world().user(7);
        let since = events.days_ago(90);
        let query = "SELECT p.user_id, uniqExact(l.post_id, l.created_at)
            FROM (SELECT * FROM likes_cdc FINAL) AS l
            INNER JOIN (SELECT * FROM posts_cdc FINAL) AS p ON p.id = l.post_id
            WHERE l.user_id = ? AND l.is_deleted = 0 AND p.is_deleted = 0
              AND l.created_at >= toDateTime(?)
            GROUP BY p.user_id
            ORDER BY p.user_id";
        let query = clickhouse.query(query).bind(user.to_string()).bind(since);
        let found: Vec<(String, u64)> = query.fetch_all().await.unwrap();
        let due: Vec<(String, u64)> = events
            .affinity(user, since)
            .into_iter()
            .filter(|affinity| affinity.counts.likes > 0)
            .map(|affinity| (affinity.author.to_string(), affinity.counts.likes))
            .collect();
        assert!(!due.is_empty());
        assert_eq!(found, due);
    });
}
