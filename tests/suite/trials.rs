//! The trials themselves, on the smoke world: what they find, and that they leave it as it was.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use criterion::Criterion;
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use verdict_audit::evidence::{Answers, ItemEvidence, VariantEvidence, Work};
use verdict_audit::{Catalogue, VariantName, Verdict};
use verdict_optimized::migration::Migration;
use verdict_scenarios::Error;
use verdict_scenarios::docket::{self, ITEMS};
use verdict_scenarios::item::{Item, Operation, Probe};
use verdict_scenarios::message_send::{self, MessageSend};
use verdict_scenarios::session::{Depth, Session};
use verdict_scenarios::trial::{Clockwork, Court, Watcher};
use verdict_seed::World;

use crate::common::{clone, engines, runtime, world};

struct Silent;

impl Watcher for Silent {
    fn step(&self, _: &str, _: &VariantName, _: &str) {}
    fn warn(&self, warning: String) {
        println!("{warning}");
    }
}

/// Sessions have clones of fixed names, so one is open at a time.
static COURT: Mutex<()> = Mutex::new(());

fn in_court<T>(held: impl FnOnce(&Court<'_>) -> T) -> T {
    let _alone = COURT
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let world = world();
    let engines = runtime().block_on(engines());
    let session = runtime()
        .block_on(Session::open(engines, &world, Depth::Quick))
        .unwrap();
    let outcome = held(&Court {
        runtime: runtime(),
        session: &session,
        watcher: &Silent,
    });
    runtime().block_on(session.close()).unwrap();
    outcome
}

/// Every item's evidence, gathered once.
static HEARD: LazyLock<Vec<ItemEvidence>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let mut criterion = Criterion::default()
        .without_plots()
        .output_directory(folder.path())
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(400));
    in_court(|court| {
        let mut clockwork = Clockwork {
            criterion: &mut criterion,
            selected: &|_| true,
        };
        ITEMS
            .into_iter()
            .map(|item| {
                let audit = Catalogue::builtin().item(item.id()).unwrap();
                court.hear(item, audit, Some(&mut clockwork)).unwrap()
            })
            .collect()
    })
});

fn heard(item: &str, variant: &str) -> &'static VariantEvidence {
    HEARD
        .iter()
        .find(|evidence| evidence.id == item)
        .and_then(|evidence| evidence.variants.iter().find(|heard| heard.name == variant))
        .unwrap()
}

fn counted(variant: &VariantEvidence, operation: &str, counter: &str) -> Vec<f64> {
    let at = |work: &Work| work.counters[counter];
    variant
        .work
        .iter()
        .filter(|work| work.operation == operation)
        .map(at)
        .collect()
}

#[test]
fn today_answers_as_the_generators_own_stream_and_optimized_as_today() {
    for item in HEARD.iter() {
        for name in ["baseline", "optimized"] {
            let answers = heard(&item.id, name).answers.as_ref().unwrap();
            assert!(answers.checked >= 50, "{}: {answers:?}", item.id);
            assert_eq!(answers.differing, 0, "{} {name}: {answers:?}", item.id);
        }
    }
}

#[test]
fn the_audits_count_in_the_insert_is_off_by_one() {
    let variant = heard("message-send", "proposed-cte");
    let answers = variant.answers.as_ref().unwrap();
    assert!(answers.differing > 0);
    let first = answers.first_difference.as_deref().unwrap();
    assert!(first.contains("number"), "{first}");
    assert!(
        variant
            .claims
            .iter()
            .all(|claim| claim.verdict == Verdict::Wrong)
    );
}

#[test]
fn the_audits_trigger_does_not_run_and_the_engine_says_why() {
    let variant = heard("message-send", "proposed-trigger");
    let failure = variant.failure.as_deref().unwrap();
    assert!(failure.contains("sequence_number"), "{failure}");
    assert!(
        variant
            .claims
            .iter()
            .all(|claim| claim.verdict == Verdict::Fails)
    );
    assert!(variant.latency.is_empty() && variant.work.is_empty());
}

#[test]
fn the_fixes_read_no_more_rows_on_a_larger_rung_and_today_does() {
    for (item, operations) in [
        ("message-send", vec!["send", "send (generic plan)"]),
        (
            "pagination",
            vec![
                "posts",
                "history",
                "posts (generic plan)",
                "history (generic plan)",
            ],
        ),
    ] {
        for operation in operations {
            let rows = counted(heard(item, "optimized"), operation, "rows_read");
            // Sending may still meet a dead version of the row it just updated; reading may not.
            let slack = if item == "message-send" { 1.0 } else { 0.0 };
            assert!(
                rows.len() == 2 && (rows[0] - rows[1]).abs() <= slack,
                "{operation}: {rows:?}"
            );
            let today = counted(heard(item, "baseline"), operation, "rows_read");
            assert!(today[1] > 8.0 * today[0], "{operation}: {today:?}");
        }
    }
}

#[test]
fn the_audits_history_reads_the_whole_conversation_for_a_page() {
    let proposed = counted(
        heard("message-history", "proposed"),
        "first page",
        "rows_read",
    );
    assert!(proposed[1] > 5.0 * proposed[0], "{proposed:?}");
    let optimized = counted(
        heard("message-history", "optimized"),
        "first page",
        "rows_read",
    );
    assert!(optimized[1] < 2.0 * optimized[0], "{optimized:?}");
}

#[test]
fn round_trips_are_the_calls_own_and_the_instruments_are_left_out() {
    for (item, operation, baseline) in [
        ("message-history", "first page", 3.0),
        ("message-send", "send", 2.0),
        ("pagination", "posts", 1.0),
    ] {
        for (name, due) in [("baseline", baseline), ("optimized", 1.0)] {
            for trips in counted(heard(item, name), operation, "round_trips") {
                assert_eq!(trips, due, "{item} {name}");
            }
        }
    }
}

#[test]
fn forced_generic_plans_are_recorded_as_such() {
    for item in HEARD.iter() {
        for work in item.variants.iter().flat_map(|variant| &variant.work) {
            if work.operation.ends_with("(generic plan)") {
                assert_eq!(
                    work.plan.as_deref(),
                    Some("generic"),
                    "{} {work:?}",
                    item.id
                );
            }
        }
    }
}

#[test]
fn latencies_are_recorded_on_both_sides() {
    for item in HEARD.iter() {
        for latency in &heard(&item.id, "optimized").latency {
            assert!(latency.blocks >= 5, "{latency:?}");
            for side in [latency.baseline, latency.variant] {
                assert!(side.count > 0 && side.p50 > 1.0, "{latency:?}");
                assert!(side.p50 <= side.p95 && side.p95 <= side.p99, "{latency:?}");
            }
        }
        assert!(!heard(&item.id, "optimized").latency.is_empty());
    }
}

#[test]
fn every_claim_of_every_variant_has_a_verdict_with_a_reason() {
    for item in HEARD.iter() {
        let claims = Catalogue::builtin().item(&item.id).unwrap().claims.len();
        for variant in item
            .variants
            .iter()
            .filter(|variant| variant.name != "baseline")
        {
            assert_eq!(variant.claims.len(), claims);
            assert!(variant.claims.iter().all(|claim| !claim.reason.is_empty()));
        }
    }
}

/// What a schema consists of, as PostgreSQL lists it.
async fn schema(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL
        SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[test]
fn every_migration_is_taken_back_to_the_same_schema() {
    runtime().block_on(async {
        let pool = PgPool::connect_with(clone("migrations").await)
            .await
            .unwrap();
        let before = schema(&pool).await;
        for item in ITEMS {
            for variant in &Catalogue::builtin().item(item.id()).unwrap().variants {
                let Some(migration) = item.migration(variant) else {
                    continue;
                };
                sqlx::raw_sql(migration.up).execute(&pool).await.unwrap();
                assert_ne!(schema(&pool).await, before, "{} {variant}", item.id());
                sqlx::raw_sql(migration.down).execute(&pool).await.unwrap();
                assert_eq!(schema(&pool).await, before, "{} {variant}", item.id());
            }
        }
        pool.close().await;
        engines().await.drop_clone("migrations").await.unwrap();
    });
}

/// Item 2 without taking anything back.
struct Careless;

impl Item for Careless {
    fn id(&self) -> &'static str {
        MessageSend.id()
    }
    fn migration(&self, _: &VariantName) -> Option<Migration> {
        None
    }
    fn writes(&self) -> &'static [&'static str] {
        MessageSend.writes()
    }
    fn touches(&self) -> &'static [&'static str] {
        MessageSend.touches()
    }
    fn operations(&self, world: &World) -> Vec<Operation> {
        MessageSend.operations(world)
    }
    fn probe(&self, world: &World, _: &VariantName, _: &str, n: u64) -> Option<Probe> {
        let conversation = verdict_scenarios::ladder::conversation(world, n)?;
        Some(Probe::reading(move |pool, k| {
            let request = message_send::message(&conversation, k);
            async move {
                message_send::send(&VariantName::Baseline, &pool, &request)
                    .await
                    .map(drop)
            }
        }))
    }
    fn answers<'a>(
        &'a self,
        _: &'a Session<'_>,
        _: &'a VariantName,
    ) -> BoxFuture<'a, verdict_scenarios::Result<Answers>> {
        Box::pin(async { Ok(Answers::default()) })
    }
}

#[test]
fn a_trial_that_leaves_rows_behind_is_void() {
    let audit = Catalogue::builtin().item("message-send").unwrap();
    let outcome = in_court(|court| court.hear(&Careless, audit, None));
    let Err(Error::WorldChanged { item, table, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(item, "message-send");
    assert!(
        ["conversations", "messages"].contains(&table.as_str()),
        "{table}"
    );
}

#[test]
fn every_item_of_the_docket_is_on_trial_in_the_audit_and_the_other_way_round() {
    let audit: Vec<&str> = Catalogue::builtin()
        .on_trial()
        .map(|item| item.id.as_str())
        .collect();
    assert_eq!(ITEMS.map(Item::id).to_vec(), audit);
    assert!(audit.into_iter().all(|id| docket::item(id).is_some()));
}
