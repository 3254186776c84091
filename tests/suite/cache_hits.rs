//! The share of hits that is computed on a virtual clock, beside what comes of it on a real one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::types::Uuid;
use tokio::task::JoinSet;
use tokio::time::Instant;
use verdict_baseline::cache as today;
use verdict_optimized::cache::{self as ours, Cache, Limits, Subject};
use verdict_oracle::{Oracle, cache as oracle};
use verdict_scenarios::items::cache::hits::{self, Cell};

use crate::cache::Scene;
use crate::common::{runtime, world};

/// Seconds for which an answer is kept, and the share of writes.
const CELLS: [(u64, f64); 3] = [(1, 0.0), (2, 0.1), (5, 0.0)];

/// Reads and writes in a second, and seconds for which they go on.
const RATE: u32 = 50;
const SECONDS: u32 = 15;

#[test]
fn what_the_virtual_clock_tells_is_within_two_points_of_what_is_really_run() {
    runtime().block_on(async {
        let oracle = Oracle::new(&world());
        let trace = oracle::trace(&oracle);
        let trace = &trace[..(RATE * SECONDS) as usize];
        let run = CELLS.map(|(ttl, writes)| {
            let cell = Cell {
                rate: RATE.into(),
                ttl: Duration::from_secs(ttl),
                room: None,
                writes,
            };
            really(cell, trace, &oracle)
        });
        for ((ttl, writes), (told, run)) in CELLS.into_iter().zip(join_all(run).await) {
            let cell = format!("{ttl} s, {writes} of writes: {told} told, {run} run");
            println!("{cell}");
            assert!((told - run).abs() < 0.02, "{cell}");
            assert!((0.02..0.98).contains(&told), "{cell}");
        }
    });
}

/// The share of hits that is told of a cell, and the one that comes of it.
async fn really(cell: Cell, trace: &[u32], oracle: &Oracle) -> (f64, f64) {
    let scene = Scene::new(&format!("cache_hits_{}", cell.ttl.as_secs())).await;
    let limits = Limits {
        ttl: cell.ttl,
        absent: cell.ttl,
        jitter: 0.0,
        // A machine that is slow is not what is asked about.
        patience: Duration::from_secs(10),
        ..Limits::default()
    };
    let counts = Arc::clone(&scene.counts);
    let cache = Cache::new(&scene.endpoints.redis, limits, counts).unwrap();
    let posts = &oracle.slices().posts;
    let warm = u32::try_from(cell.ttl.as_secs()).unwrap() * RATE;
    let (began, mut tasks) = (Instant::now(), JoinSet::new());
    let mut before = scene.counts.read();
    for (tick, (writes, place)) in (0..).zip(hits::acts(cell, trace)) {
        tokio::time::sleep_until(began + Duration::from_secs(1) * tick / RATE).await;
        if tick == warm {
            before = scene.counts.read();
        }
        let post = posts[place as usize].post;
        tasks.spawn(act(scene.pool.clone(), cache.clone(), writes, post));
    }
    tasks.join_all().await;
    let after = scene.counts.read();
    let (hits, misses) = (after.hits - before.hits, after.misses - before.misses);
    let run = hits as f64 / (hits + misses) as f64;
    (hits::ratio(cell, trace).unwrap(), run)
}

async fn act(pool: sqlx::PgPool, cache: Cache, writes: bool, post: Uuid) {
    if writes {
        let update = today::update_status(&pool, post, "published");
        cache.around(&[Subject::Post(post)], update).await.unwrap();
    } else {
        ours::post(&pool, &cache, post).await.unwrap();
    }
}
