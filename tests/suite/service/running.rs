//! Metrics, lost databases, and the end of the service.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write, stdin};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use sqlx::{ConnectOptions, Connection};
use verdict_service::{SideAddress, Sides};

use super::{HELD, SIDES, assert_refused, json, spawn, stage};
use crate::common::{clone, engines, runtime};

#[test]
fn metrics_count_requests_and_each_statements_wait_for_a_connection() {
    runtime().block_on(async {
        let stage = stage().await;
        // Its own, for the counts are exact.
        let service = spawn(&stage.sides);
        let viewer = stage.world.conversation(1).members[0];
        for side in SIDES {
            for query in [
                format!("viewer={viewer}"),
                format!("viewer={viewer}&limit=5"),
                "viewer=me".to_owned(),
            ] {
                stage
                    .get(&service, &format!("/{side}{}?{query}", stage.messages(1)))
                    .await;
            }
        }
        let (status, text) = stage.get(&service, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let series: BTreeMap<&str, f64> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name, value.parse().expect("values are numbers")))
            .collect();
        let duration = "verdict_request_duration_seconds";
        for side in SIDES {
            let labels =
                |flow, class| format!("{{flow=\"{flow}\",side=\"{side}\",status=\"{class}\"}}");
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("history", "2xx"))],
                2.0
            );
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("history", "4xx"))],
                1.0
            );
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("history", "5xx"))],
                0.0
            );
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("send", "2xx"))],
                0.0
            );
            assert!(series[&*format!("{duration}_sum{}", labels("history", "2xx"))] > 0.0);
            let of_side = format!("{{side=\"{side}\"}}");
            // Three statements a page today, one with the fix; and who may read it.
            let statements = if side == "baseline" { 8.0 } else { 4.0 };
            assert_eq!(
                series[&*format!("verdict_pool_wait_seconds_count{of_side}")],
                statements,
                "{side}"
            );
            assert!(series[&*format!("verdict_pool_wait_seconds_sum{of_side}")] > 0.0);
            assert_eq!(
                series[&*format!("verdict_pool_connections_max{of_side}")],
                10.0
            );
            assert!(series[&*format!("verdict_pool_connections{of_side}")] >= 1.0);
            assert_eq!(
                series[&*format!("verdict_pool_timeouts_total{of_side}")],
                0.0
            );
        }
        let (status, body) = stage.get(&service, "/empty").await;
        assert_eq!((status, &*body), (StatusCode::NO_CONTENT, ""));
        let (status, _) = stage.get(&service, "/health").await;
        assert_eq!(status, StatusCode::OK);
        service.stop().expect("a clean end");
    });
}

#[test]
fn a_database_that_is_gone_is_a_503_and_leaves_the_other_side_alone() {
    runtime().block_on(async {
        let stage = stage().await;
        let sides = Sides {
            baseline: clone("service_gone").await,
            optimized: stage.sides.optimized.clone(),
        };
        let service = spawn(&sides);
        let viewer = stage.world.conversation(1).members[0];
        let path = format!("{}?viewer={viewer}", stage.messages(1));
        let (status, _) = stage.get(&service, &format!("/baseline{path}")).await;
        assert_eq!(status, StatusCode::OK);
        engines()
            .await
            .drop_sandbox("service_gone")
            .await
            .expect("the clone dropped");

        assert_refused(
            stage.get(&service, &format!("/baseline{path}")).await,
            503,
            "baseline database cannot be reached",
        );
        assert_refused(stage.get(&service, "/health").await, 503, "baseline");
        let (status, _) = stage.get(&service, &format!("/optimized{path}")).await;
        assert_eq!(status, StatusCode::OK);
        service.stop().expect("a clean end");
    });
}

#[test]
fn a_stop_lets_a_running_send_finish_and_accepts_nothing_new() {
    runtime().block_on(async {
        let stage = stage().await;
        let service = spawn(&stage.sides);
        let url = service.url().to_owned();
        let address = url.trim_start_matches("http://").to_owned();
        let conversation = stage.world.conversation(HELD);
        let mut holder = stage
            .sides
            .optimized
            .postgres
            .connect()
            .await
            .expect("a connection");
        let mut lock = holder.begin().await.expect("a transaction");
        sqlx::query("SELECT FROM conversations WHERE id = $1 FOR UPDATE")
            .bind(conversation.id)
            .execute(&mut *lock)
            .await
            .expect("the lock that a send needs");

        let body = json!({ "sender": stage.speaker(HELD), "content": "held" }).to_string();
        let path = format!("/optimized{}", stage.messages(HELD));
        let send = async { stage.post(&url, &path, body).await };
        let stop = async {
            blocked(
                &mut stage
                    .sides
                    .optimized
                    .postgres
                    .connect()
                    .await
                    .expect("a connection"),
            )
            .await;
            let stopping = tokio::task::spawn_blocking(|| service.stop());
            until("the service refuses connections", || {
                TcpStream::connect(&address).is_err()
            })
            .await;
            lock.rollback().await.expect("the lock given back");
            stopping.await.expect("no panic")
        };
        let ((status, answer), stopped) = tokio::join!(send, stop);
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        stopped.expect("a clean end");
    });
}

/// Waits until some session waits for a lock.
async fn blocked(connection: &mut sqlx::PgConnection) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits)
        .fetch_one(&mut *connection)
        .await
        .expect("a count")
        == 0
    {
        assert!(Instant::now() < deadline, "the send never waited");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_killed_parent_takes_its_service_along() {
    runtime().block_on(async {
        let stage = stage().await;
        // This test program once more, as a parent that can be killed.
        let mut parent = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "service::running::parent_of_a_service",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a parent");
        let mut input = parent.stdin.take().expect("its input");
        for side in [&stage.sides.baseline, &stage.sides.optimized] {
            writeln!(input, "{}", side.postgres.to_url_lossy()).expect("a connection string");
            let clickhouse = serde_json::to_string(&side.clickhouse).expect("JSON");
            writeln!(input, "{clickhouse}").expect("an address");
            let redis = serde_json::to_string(&side.redis).expect("JSON");
            writeln!(input, "{redis}").expect("an address");
        }
        let output = BufReader::new(parent.stdout.take().expect("its output"));
        let url = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.find("http://").map(|place| line[place..].to_owned()))
            .expect("the service's address");
        let address = url.trim_start_matches("http://");
        TcpStream::connect(address).expect("the service listens");

        parent.kill().expect("the parent killed");
        parent.wait().expect("the parent's end");
        until("the service is gone", || {
            TcpStream::connect(address).is_err()
        })
        .await;
    });
}

#[test]
#[ignore = "the parent that `a_killed_parent_takes_its_service_along` kills"]
fn parent_of_a_service() {
    let mut lines = stdin().lines().map_while(Result::ok);
    let mut side = || {
        Some(SideAddress {
            postgres: lines.next()?.parse().expect("a connection string"),
            clickhouse: serde_json::from_str(&lines.next()?).expect("an address"),
            redis: serde_json::from_str(&lines.next()?).expect("an address"),
        })
    };
    let (Some(baseline), Some(optimized)) = (side(), side()) else {
        return;
    };
    let service = spawn(&Sides {
        baseline,
        optimized,
    });
    println!("\n{}", service.url());
    std::thread::sleep(Duration::from_secs(60));
}
