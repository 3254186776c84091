//! The flows under load: a service in a process of its own, on real databases.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPoolOptions;
use sqlx::types::Uuid;
use verdict_audit::evidence::{Compared, FlowEvidence};
use verdict_audit::{Catalogue, FlowId, Side, Verdict, Warning};
use verdict_load::{Databases, Error, LoadOutcome, LoadPlan, LoadWatcher, ServiceUrl, run};
use verdict_optimized::message_send::send;
use verdict_oracle::{ladder, message_send};
use verdict_seed::postgres_checksums;
use verdict_service::{ServiceProcess, Sides};

use crate::common::{grounded, migrated, runtime, world};

const PROGRAM: &str = env!("CARGO_BIN_EXE_verdict");

/// A service on two databases of its own.
pub(crate) struct Stage {
    pub(crate) databases: Databases,
    pub(crate) service: ServiceProcess,
}

impl Stage {
    pub(crate) async fn open(name: &str) -> Self {
        let baseline = grounded(&format!("{name}_baseline")).await;
        let optimized = migrated(&format!("{name}_optimized")).await;
        let sides = Sides {
            baseline,
            optimized,
        };
        Self {
            databases: Databases::of_service(&sides).unwrap(),
            service: ServiceProcess::spawn(Path::new(PROGRAM), &sides).unwrap(),
        }
    }

    pub(crate) async fn load(
        &self,
        plan: &LoadPlan,
        databases: Option<&Databases>,
    ) -> (LoadOutcome, Heard) {
        self.load_through(self.service.url(), plan, databases).await
    }

    /// Loads what answers at another address, on the same databases.
    pub(crate) async fn load_through(
        &self,
        url: &str,
        plan: &LoadPlan,
        databases: Option<&Databases>,
    ) -> (LoadOutcome, Heard) {
        let service = ServiceUrl::new(url);
        let heard = Heard::default();
        let artefacts = tempfile::tempdir().unwrap();
        let outcome = run(
            &service,
            &world(),
            plan,
            databases,
            &heard,
            artefacts.path(),
        )
        .await
        .unwrap();
        for report in &outcome.goose_reports {
            assert!(report.is_file(), "{}", report.display());
        }
        (outcome, heard)
    }

    /// Rows and checksums of every table on both sides.
    pub(crate) async fn sums(&self) -> Vec<String> {
        let mut sums = Vec::new();
        for pool in [&self.databases.baseline, &self.databases.optimized] {
            for (table, sum) in postgres_checksums(pool, None).await.unwrap() {
                sums.push(format!("{table}: {sum:?}"));
            }
        }
        sums
    }

    async fn messages(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for pool in [&self.databases.baseline, &self.databases.optimized] {
            let count = sqlx::query_scalar("SELECT count(*) FROM messages").fetch_one(pool);
            counts.push(count.await.unwrap());
        }
        counts
    }
}

/// What a run told.
#[derive(Default)]
pub(crate) struct Heard {
    steps: Mutex<Vec<f64>>,
    warnings: Mutex<Vec<Warning>>,
}

impl LoadWatcher for Heard {
    fn step(&self, _what: &str, done: f64) {
        self.steps.lock().unwrap().push(done);
    }

    fn say(&self, words: &str) {
        println!("{words}");
    }

    fn warn(&self, warning: Warning) {
        self.warnings.lock().unwrap().push(warning);
    }
}

fn plan(flows: &[FlowId]) -> LoadPlan {
    LoadPlan {
        flows: flows.to_vec(),
        users: vec![2],
        window: Duration::from_millis(400),
        windows: 1,
        judged_windows: 3,
        warm_up: Duration::from_millis(200),
        ..LoadPlan::short()
    }
}

fn described(rows: &[FlowEvidence]) -> Vec<(FlowId, Side, bool)> {
    rows.iter()
        .map(|row| (row.id, row.side, row.users.is_some()))
        .collect()
}

#[test]
fn a_load_run_gives_evidence_for_both_sides_and_leaves_the_world_as_it_was() {
    runtime().block_on(async {
        let stage = Stage::open("load_run").await;
        let before = stage.sums().await;
        let flows = [FlowId::Send, FlowId::History, FlowId::Page];
        let (outcome, heard) = stage.load(&plan(&flows), Some(&stage.databases)).await;

        let expected: Vec<_> = flows
            .into_iter()
            .flat_map(|flow| {
                [true, false].into_iter().flat_map(move |closed| {
                    [Side::Baseline, Side::Optimized].map(|side| (flow, side, closed))
                })
            })
            .collect();
        assert_eq!(described(&outcome.flows), expected);
        for row in &outcome.flows {
            assert!(row.requests > 0, "{row:?}");
            assert_eq!(row.errors, 0, "{}", row.reason);
            assert_ne!(row.verdict, Verdict::Wrong, "{}", row.reason);
            assert!(row.throughput > 0.0 && row.p50.value > 0.0);
            assert!(row.p50.value <= row.p95.value && row.p95.value <= row.p99.value);
            assert_eq!(row.generator_lag_p99.is_some(), row.rate.is_some());
        }
        // Both sides were measured at each level, in three windows where rates are judged, and
        // there the first flow's today against itself.
        assert_eq!(outcome.flow_ratios.len(), 7);
        for ratio in &outcome.flow_ratios {
            // A machine that runs other tests too may keep the generator.
            let late = ratio.says.contains("late");
            let due = ratio.rate.is_some() && !late;
            assert_eq!(ratio.p95.is_some(), due, "{}", ratio.says);
        }
        assert_eq!(outcome.targets.len(), 6);
        for row in &outcome.flows {
            let share = row.generator_share.unwrap();
            assert!(share > 0.0 && share <= 1.0, "{share}");
        }
        // The open loop puts the same rate to both sides.
        for pair in outcome.flows.chunks(2) {
            assert_eq!((pair[0].users, pair[0].rate), (pair[1].users, pair[1].rate));
        }
        for (flow, answers) in &outcome.answers {
            for side in [Side::Baseline, Side::Optimized] {
                let answers = answers.of(side);
                // More than those before any timing, each of which was held twice at most.
                assert!(answers.checked > 60, "{flow} {side}: {}", answers.checked);
                assert_eq!(answers.differing, 0, "{flow} {side}: {answers:?}");
            }
        }
        assert_eq!(outcome.capacity.len(), 6);
        assert_eq!(outcome.goose_reports.len(), 3);
        assert_eq!(*heard.warnings.lock().unwrap(), []);
        let steps = heard.steps.lock().unwrap().clone();
        assert!(steps.is_sorted() && steps.last() == Some(&1.0), "{steps:?}");

        assert_eq!(stage.sums().await, before);
    });
}

/// The order by which the load tells each number's row: see `load/src/flows/stored.rs`.
#[test]
fn numbers_of_racing_senders_are_in_the_order_of_their_rows_times() {
    runtime().block_on(async {
        let options = migrated("load_race").await.postgres;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .connect_with(options)
            .await
            .unwrap();
        let conversation = ladder::conversation(&world(), 100).unwrap();
        let senders = (0..16).map(|sender| {
            let mut random = ChaCha8Rng::seed_from_u64(sender);
            let (pool, conversation) = (pool.clone(), conversation.clone());
            async move {
                let mut sent = Vec::new();
                for _ in 0..40 {
                    let message = message_send::message(&conversation, &mut random);
                    sent.push(send(&pool, &message).await.unwrap());
                }
                sent
            }
        });
        let mut sent = join_all(senders).await.concat();
        sent.sort_by_key(|sent| sent.sequence_number);
        let ids: Vec<Uuid> = sent.iter().map(|sent| sent.id).collect();
        let query = |order: &str| {
            sqlx::query_scalar(AssertSqlSafe(format!(
                "SELECT id FROM messages WHERE id = ANY($1) ORDER BY {order}"
            )))
            .bind(&ids)
        };
        let placed: Vec<Uuid> = query("created_at, id").fetch_all(&pool).await.unwrap();
        assert!(placed == ids);
    });
}

#[test]
fn today_is_put_against_itself_and_rates_rise_until_the_goal_breaks() {
    runtime().block_on(async {
        let stage = Stage::open("load_climb").await;
        let plan = LoadPlan {
            users: vec![Catalogue::builtin().judged_users],
            climb: vec![0.1, 0.6, 30.0, 40.0, 50.0],
            self_checks: 1,
            ..plan(&[FlowId::History])
        };
        let (outcome, _) = stage.load(&plan, Some(&stage.databases)).await;
        let [closed, open, sides @ ..] = &outcome.flow_ratios[..] else {
            panic!("today against itself in both loops");
        };
        assert!(closed.users.is_some() && open.rate.is_some());
        for itself in [closed, open] {
            assert_eq!(itself.of, Compared::Itself);
            let late = itself.says.contains("late");
            assert!(
                (itself.p95.is_some() || late) && itself.windows >= 3,
                "{itself:?}"
            );
        }
        assert!(sides.iter().all(|ratio| ratio.of == Compared::Sides));
        // Nobody answers thirty times what it answered at its best; one rate may be undecided.
        for side in [Side::Baseline, Side::Optimized] {
            let alone = outcome.flows.iter().filter(|row| row.side == side);
            let rates: Vec<f64> = alone.filter_map(|row| row.rate).collect();
            // Where a busy machine leaves the shared one open, up to three more lie below it.
            assert!(
                rates.is_sorted() && (1..=7).contains(&rates.len()),
                "{rates:?}"
            );
        }
        for target in &outcome.targets {
            assert!(
                target.users.is_some() && target.rate.is_some(),
                "{target:?}"
            );
            assert!(target.says.contains("this target"), "{}", target.says);
        }
    });
}

#[test]
fn where_the_lowest_rate_does_not_hold_lower_ones_are_tried() {
    runtime().block_on(async {
        let stage = Stage::open("load_descent").await;
        let plan = LoadPlan {
            users: vec![Catalogue::builtin().judged_users],
            // Nobody answers eight times what it answered.
            shares: vec![8.0],
            climb: vec![0.1],
            self_checks: 0,
            ..plan(&[FlowId::History])
        };
        let (outcome, _) = stage.load(&plan, Some(&stage.databases)).await;
        for side in [Side::Baseline, Side::Optimized] {
            let alone = outcome.flows.iter().filter(|row| row.side == side);
            let rates: Vec<f64> = alone.filter_map(|row| row.rate).collect();
            assert!((2..=4).contains(&rates.len()), "{rates:?}");
            for pair in rates.windows(2) {
                assert!((pair[1] - 2.0 * pair[0]).abs() < 1e-6, "{rates:?}");
            }
        }
    });
}

#[test]
fn without_access_to_the_databases_the_rows_stay_and_the_run_says_so() {
    runtime().block_on(async {
        let stage = Stage::open("load_elsewhere").await;
        let before = stage.messages().await;
        let (outcome, heard) = stage.load(&plan(&[FlowId::Send]), None).await;
        let after = stage.messages().await;
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| before < after)
        );
        let warnings = heard.warnings.lock().unwrap().clone();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0], Warning::RowsStay);
        for told in ["stay", "nothing else written there"] {
            assert!(outcome.flows.iter().all(|row| row.reason.contains(told)));
        }
    });
}

/// What is written into what the load reads, refused by one side.
const REFUSES: &str = "
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'enough';
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse();";

#[test]
fn what_was_written_into_what_is_read_is_taken_back_also_when_the_run_fails() {
    runtime().block_on(async {
        let stage = Stage::open("load_refused").await;
        let before = stage.sums().await;
        sqlx::raw_sql(REFUSES)
            .execute(&stage.databases.optimized)
            .await
            .unwrap();
        let today = &stage.databases.baseline;
        let began: i64 = sqlx::query_scalar("SELECT pg_current_xact_id()::text::bigint")
            .fetch_one(today)
            .await
            .unwrap();
        let artefacts = tempfile::tempdir().unwrap();
        let outcome = run(
            &ServiceUrl::new(stage.service.url()),
            &world(),
            &plan(&[FlowId::History]),
            Some(&stage.databases),
            &Heard::default(),
            artefacts.path(),
        )
        .await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Database(_)), "{error}");
        assert!(error.to_string().contains("enough"), "{error}");
        // A row that was altered and altered back is another version of itself.
        let written: i64 =
            sqlx::query_scalar("SELECT count(*) FROM messages WHERE xmin::text::bigint > $1")
                .bind(began)
                .fetch_one(today)
                .await
                .unwrap();
        assert!(written > 0);
        assert_eq!(stage.sums().await, before);
    });
}

#[test]
fn a_side_that_answers_wrongly_is_wrong_however_quick() {
    runtime().block_on(async {
        let stage = Stage::open("load_wrong").await;
        // The shape of its answers stays right; what they say does not.
        let changed = sqlx::query("UPDATE message_attachments SET file_size = file_size + 1")
            .execute(&stage.databases.optimized)
            .await
            .unwrap();
        assert!(changed.rows_affected() > 0);
        let (outcome, heard) = stage
            .load(&plan(&[FlowId::History]), Some(&stage.databases))
            .await;
        let answers = &outcome.answers[0].1.optimized;
        assert!(answers.differing > 0);
        let first = answers.first_difference.as_deref().unwrap_or_default();
        assert!(first.contains("/optimized/"), "{first}");
        assert!(outcome.flows.iter().all(|row| row.errors == 0));
        // Today's figures stand by themselves.
        for row in &outcome.flows {
            let wrong = row.verdict == Verdict::Wrong;
            assert_eq!(wrong, row.side == Side::Optimized, "{}", row.reason);
        }
        for capacity in &outcome.capacity {
            let holds_none = capacity.max_users.is_none() && capacity.max_rate.is_none();
            assert!(holds_none || capacity.side == Side::Baseline);
        }
        let told = heard.warnings.lock().unwrap();
        assert!(
            matches!(
                told[..],
                [Warning::FlowAnswersDiffer {
                    side: Side::Optimized,
                    ..
                }]
            ),
            "{told:?}"
        );
    });
}

#[test]
fn a_service_that_is_not_there_is_named_with_what_to_do() {
    runtime().block_on(async {
        let service = ServiceUrl::new("http://127.0.0.1:9");
        let artefacts = tempfile::tempdir().unwrap();
        let error = run(
            &service,
            &world(),
            &plan(&[FlowId::Page]),
            None,
            &Heard::default(),
            artefacts.path(),
        )
        .await
        .unwrap_err();
        assert!(matches!(error, Error::NoService { .. }), "{error}");
        assert!(error.to_string().contains("verdict serve"), "{error}");
    });
}
