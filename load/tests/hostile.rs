//! Services that take requests and give no answer that there could be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::get;
use futures_util::stream::{self, StreamExt};
use verdict_audit::{FlowId, Verdict, Warning};
use verdict_load::{Error, LoadOutcome, LoadPlan, LoadWatcher, ServiceUrl, run};
use verdict_seed::{Scale, World, WorldSpec};

struct Nobody;

impl LoadWatcher for Nobody {
    fn step(&self, _: &str, _: f64) {}
    fn say(&self, _: &str) {}
    fn warn(&self, _: Warning) {}
}

/// goose has one attack in a process at a time.
fn alone<T>(work: impl Future<Output = T>) -> T {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(work)
}

/// Puts a service under load that answers so to whatever is asked but its health.
async fn under_load(
    answer: impl Fn() -> Body + Clone + Send + Sync + 'static,
    health: impl Fn() -> StatusCode + Clone + Send + Sync + 'static,
) -> Result<LoadOutcome, Error> {
    let health = move || std::future::ready(health());
    let router = Router::new().route("/health", get(health));
    load(router.fallback(move || std::future::ready(answer()))).await
}

async fn load(router: Router) -> Result<LoadOutcome, Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a service");
    let url = format!("http://{}", listener.local_addr().expect("a service"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("a service") });
    let plan = LoadPlan {
        flows: vec![FlowId::Page],
        users: vec![2],
        rates: vec![20.0],
        windows: 2,
        judged_windows: 2,
        self_checks: 0,
        patience: Duration::from_millis(500),
        before: Duration::from_secs(10),
        ..LoadPlan::short()
    };
    let world = World::new(WorldSpec {
        scale: Scale::Smoke,
        users: None,
        days: None,
        seed: 1,
    });
    let folder = std::env::temp_dir().join(format!("verdict-hostile-{}", std::process::id()));
    let outcome = run(
        &ServiceUrl::new(&url),
        &world,
        &plan,
        None,
        &Nobody,
        &folder,
    )
    .await;
    let _ = std::fs::remove_dir_all(folder);
    outcome
}

#[test]
fn a_service_that_drips_is_given_up() {
    let drips = || {
        Body::from_stream(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        }))
    };
    alone(async {
        let began = Instant::now();
        let error = under_load(drips, || StatusCode::OK).await.unwrap_err();
        assert!(matches!(error, Error::Silent { .. }), "{error}");
        // The requests of the check alone are eighty, and each would have its half second.
        let took = began.elapsed();
        assert!(took < Duration::from_secs(20), "{took:?}");
    });
}

#[test]
fn a_service_that_fails_slowly_is_given_up() {
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        StatusCode::INTERNAL_SERVER_ERROR
    };
    alone(async {
        let router = Router::new().route("/health", get(async || StatusCode::OK));
        let error = load(router.fallback(slow)).await.unwrap_err();
        assert!(matches!(error, Error::Slow { .. }), "{error}");
    });
}

#[test]
fn of_an_answer_without_an_end_no_more_is_read_than_a_page_has() {
    const PIECE: usize = 1 << 16;
    static ASKED: AtomicU64 = AtomicU64::new(0);
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    let gigabyte = || {
        ASKED.fetch_add(1, Ordering::Relaxed);
        let pieces = stream::repeat(()).take((1 << 30) / PIECE);
        Body::from_stream(pieces.map(|()| {
            GIVEN.fetch_add(PIECE as u64, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b' '; PIECE]))
        }))
    };
    alone(async {
        let outcome = under_load(gigabyte, || StatusCode::OK).await.unwrap();
        assert!(!outcome.flows.is_empty());
        for row in &outcome.flows {
            assert_eq!(row.errors, row.requests, "{}", row.reason);
            assert!(
                matches!(row.verdict, Verdict::Wrong | Verdict::Fails),
                "{}: {}",
                row.verdict,
                row.reason
            );
            assert!(row.reason.contains("more than 4 MB"), "{}", row.reason);
        }
        let each = GIVEN.load(Ordering::Relaxed) / ASKED.load(Ordering::Relaxed);
        // With what waits in the sockets.
        assert!(each < 32 << 20, "{each} bytes of each answer");
    });
}

#[test]
fn a_service_that_goes_away_under_load_ends_the_run() {
    let asked = Arc::new(AtomicU64::new(0));
    let well_at_first = move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    alone(async {
        let nothing = || Body::from("no page");
        let error = under_load(nothing, well_at_first).await.unwrap_err();
        assert!(matches!(error, Error::NoService { .. }), "{error}");
        assert!(error.to_string().contains("503"), "{error}");
    });
}
