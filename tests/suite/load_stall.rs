//! A service that stands still for two seconds, once, in either loop: nothing of it is confirmed,
//! though nearly all of its calls are quick.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::IntoResponse;
use verdict_audit::evidence::FlowEvidence;
use verdict_audit::{Catalogue, FlowId, Side, Verdict, Warning};
use verdict_load::{LoadOutcome, LoadPlan, LoadWatcher, ServiceUrl, run};

use crate::common::{runtime, world};
use crate::load::Stage;
use crate::load_sabotage::pass;

const STILL: Duration = Duration::from_secs(2);

/// How long after a loop's first request: in the middle of its first window.
const AFTER: Duration = Duration::from_millis(200);

/// Passes on everything, and stands still once, on one side, after the load has begun with the
/// loop whose step is named so.
struct Staller {
    service: String,
    client: reqwest::Client,
    side: Side,
    step: &'static str,
    phase: Mutex<Phase>,
}

#[derive(Clone, Copy)]
enum Phase {
    Before,
    Armed,
    Still { from: Instant },
}

impl Staller {
    async fn before(service: &str, side: Side, step: &'static str) -> (Arc<Self>, String) {
        let staller = Arc::new(Self {
            service: service.to_owned(),
            client: reqwest::Client::new(),
            side,
            step,
            phase: Mutex::new(Phase::Before),
        });
        let router = Router::new()
            .fallback(relay)
            .with_state(Arc::clone(&staller));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (staller, url)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when a request has to wait.
    fn held_until(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut phase = self.phase();
        if let Phase::Armed = *phase {
            *phase = Phase::Still { from: now + AFTER };
        }
        match *phase {
            Phase::Still { from } if (from..from + STILL).contains(&now) => Some(from + STILL),
            _ => None,
        }
    }
}

async fn relay(
    State(staller): State<Arc<Staller>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> impl IntoResponse {
    let path = uri.to_string();
    if path.starts_with(&format!("/{}/", staller.side))
        && let Some(until) = staller.held_until()
    {
        tokio::time::sleep_until(until.into()).await;
    }
    pass(&staller.client, &staller.service, method, &path, body).await
}

impl LoadWatcher for Staller {
    fn step(&self, what: &str, _done: f64) {
        let mut phase = self.phase();
        if what.contains(self.step) && matches!(*phase, Phase::Before) {
            *phase = Phase::Armed;
        }
    }

    fn say(&self, _words: &str) {}

    fn warn(&self, _warning: Warning) {}
}

async fn stand_still(stage: &Stage, side: Side, step: &'static str) -> LoadOutcome {
    let plan = LoadPlan {
        flows: vec![FlowId::History],
        window: Duration::from_millis(400),
        warm_up: Duration::from_millis(50),
        judged_windows: 6,
        self_checks: 0,
        ..LoadPlan::short()
    };
    let (staller, url) = Staller::before(stage.service.url(), side, step).await;
    let artefacts = tempfile::tempdir().unwrap();
    let outcome = run(
        &ServiceUrl::new(&url),
        &world(),
        &plan,
        Some(&stage.databases),
        &*staller,
        artefacts.path(),
    )
    .await
    .unwrap();
    assert!(matches!(*staller.phase(), Phase::Still { .. }), "{step}");
    outcome
}

#[test]
fn a_service_that_stood_still_for_two_seconds_confirms_nothing_in_either_loop() {
    runtime().block_on(async {
        let stage = Stage::open("load_stall").await;
        let goal_us = 1000.0
            * Catalogue::builtin()
                .target(FlowId::History)
                .unwrap()
                .goal_ms;
        for step in [" users", " requests/s"] {
            let outcome = stand_still(&stage, Side::Optimized, step).await;
            let mut targets = outcome.targets.iter();
            let target = targets
                .find(|target| target.side == Side::Optimized)
                .unwrap();
            assert_ne!(target.verdict, Verdict::Confirmed, "{step}");
            assert!(
                !target.says.starts_with("optimized meets"),
                "{}",
                target.says
            );
            let met = |row: &&FlowEvidence| {
                row.side == Side::Optimized && row.users.is_some() == (step == " users")
            };
            let row = outcome.flows.iter().find(met).unwrap();
            assert!(row.judged);
            assert_eq!(row.errors, 0, "{}", row.reason);
            assert!(row.load().p95.hi.is_none_or(|hi| hi > goal_us), "{row:?}");
            // Few calls met it: each user once, and those that arrived in part of a window.
            assert!(row.p50.value < goal_us, "{:?}", row.p50);
        }
    });
}
