//! Redis absent, slow, stopped and killed: ours answers from PostgreSQL, in a time that is a few
//! times what Redis is given.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::types::Uuid;
use verdict_engines::{Engines, Line};
use verdict_optimized::as_proposed::cache as proposed;
use verdict_optimized::cache::Limits;

use crate::cache::{Scene, until_hit};
use crate::common::{engines, options, runtime};

/// Reads one after the other. Were each of them to wait for Redis, they would take longer
/// together than [`bound`].
const READS: u32 = 60;

/// What Redis is given for each command.
const PATIENCE: Duration = Duration::from_millis(300);

fn limits() -> Limits {
    Limits {
        patience: PATIENCE,
        ..Limits::default()
    }
}

/// What all of these reads may take on a busy machine.
fn bound() -> Duration {
    PATIENCE * READS / 2
}

/// Reads, and writes, while Redis is away: all right, and in time.
async fn holds(scene: &Scene, post: Uuid) {
    for status in ["pending", "published"] {
        let began = Instant::now();
        scene.update(post, status).await;
        assert!(began.elapsed() < bound(), "a write: {:?}", began.elapsed());
        let began = Instant::now();
        for _ in 0..READS {
            assert_eq!(scene.status(post).await, status);
        }
        assert!(began.elapsed() < bound(), "reads: {:?}", began.elapsed());
    }
}

#[test]
fn redis_that_is_not_there_is_done_without() {
    runtime().block_on(async {
        let side = engines().await.sandbox("cache_away").await.unwrap();
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nobody.local_addr().unwrap().port();
        drop(nobody);
        let away = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
        let scene = Scene::by(side.endpoints(), &away, limits()).await;
        let post = scene.posts(1).await[0];
        holds(&scene, post).await;
        // The audit's has no answer without a connection.
        let refused = proposed::post(&scene.pool, &scene.proposed, post).await;
        assert!(matches!(refused, Err(verdict_baseline::Error::Redis(_))));
    });
}

#[test]
fn redis_that_is_slow_is_not_waited_for() {
    runtime().block_on(async {
        let side = engines().await.sandbox("cache_slow").await.unwrap();
        let line = Line::open(side.endpoints(), PATIENCE).unwrap();
        let scene = Scene::by(side.endpoints(), &line.endpoints().redis, limits()).await;
        let post = scene.posts(1).await[0];
        holds(&scene, post).await;
        assert_eq!(scene.counts.read().hits, 0);
    });
}

#[test]
fn redis_that_stands_still_comes_back_with_nothing_old_and_then_dies() {
    runtime().block_on(async {
        let side = engines().await.sandbox("cache_dies").await.unwrap();
        let own = Engines::start(&options()).await.unwrap();
        let scene = Scene::by(side.endpoints(), &own.redis(), limits()).await;
        let process = process(&own.redis()).await;
        let post = scene.posts(1).await[0];
        scene.update(post, "failed").await;
        until_hit(&scene, post, "failed").await;

        kill(process, Signal::SIGSTOP).unwrap();
        holds(&scene, post).await;
        kill(process, Signal::SIGCONT).unwrap();
        until_hit(&scene, post, "published").await;

        kill(process, Signal::SIGKILL).unwrap();
        holds(&scene, post).await;
        assert!(
            proposed::post(&scene.pool, &scene.proposed, post)
                .await
                .is_err()
        );
    });
}

async fn process(redis: &redis::Client) -> Pid {
    let mut connection = redis.get_multiplexed_async_connection().await.unwrap();
    let info: String = redis::cmd("INFO")
        .arg("server")
        .query_async(&mut connection)
        .await
        .unwrap();
    let process = info
        .lines()
        .find_map(|line| line.strip_prefix("process_id:"));
    Pid::from_raw(process.unwrap().trim().parse().unwrap())
}
