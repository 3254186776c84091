//! Item 13 on real engines: the audit's cache and ours answer as today does, and what ours does
//! where writes and reads meet.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use sqlx::PgPool;
use sqlx::types::Uuid;
use tokio::sync::oneshot;
use verdict_baseline::cache as today;
use verdict_baseline::writes;
use verdict_engines::Endpoints;
use verdict_optimized::as_proposed::cache as proposed;
use verdict_optimized::as_proposed::cache::QueryCache;
use verdict_optimized::cache::{self as ours, Cache, Limits, Subject};
use verdict_store::ClientCounts;

use crate::common::{engines, runtime};

/// Reads at once.
const AT_ONCE: usize = 100;

/// PostgreSQL and Redis of a test's own, and both caches on them.
pub struct Scene {
    pub endpoints: Endpoints,
    pub pool: PgPool,
    pub counts: Arc<ClientCounts>,
    pub ours: Cache,
    pub proposed: QueryCache,
}

impl Scene {
    pub async fn new(role: &str) -> Self {
        let side = engines().await.sandbox(role).await.unwrap();
        let redis = side.endpoints().redis.clone();
        // A machine that is slow is not what is asked about.
        let limits = Limits {
            patience: Duration::from_secs(10),
            ..Limits::default()
        };
        Self::by(side.endpoints(), &redis, limits).await
    }

    /// The same with another Redis, and ours within other limits.
    pub async fn by(endpoints: &Endpoints, redis: &redis::Client, limits: Limits) -> Self {
        let pool = PgPool::connect_with(endpoints.postgres.clone())
            .await
            .unwrap();
        let counts = Arc::new(ClientCounts::default());
        let again = Arc::clone(&counts);
        Self {
            endpoints: endpoints.clone(),
            pool,
            ours: Cache::new(redis, limits, again).unwrap(),
            proposed: QueryCache::new(redis.clone(), proposed::TTL_SECONDS, Arc::default()),
            counts,
        }
    }

    /// Posts that are there, in the order of their ids.
    pub async fn posts(&self, number: i64) -> Vec<Uuid> {
        let ids = "SELECT id FROM posts WHERE soft_delete IS NULL ORDER BY id LIMIT $1";
        sqlx::query_scalar(ids)
            .bind(number)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// The status that ours answers.
    pub async fn status(&self, post: Uuid) -> String {
        let post = ours::post(&self.pool, &self.ours, post).await.unwrap();
        post.expect("a post").status
    }

    /// Gives a post another status the way ours has it written.
    pub async fn update(&self, post: Uuid, status: &str) {
        let update = today::update_status(&self.pool, post, status);
        let written = self.ours.around(&[Subject::Post(post)], update).await;
        written.unwrap();
    }

    /// How often PostgreSQL has read a post so far.
    async fn reads(&self) -> i64 {
        let reads = "SELECT COALESCE(SUM(calls), 0)::bigint
            FROM pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
              AND query LIKE '%FROM posts%id = $1%soft_delete IS NULL'";
        sqlx::query_scalar(reads)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

#[test]
fn all_answer_alike_the_first_time_and_again() {
    runtime().block_on(async {
        let scene = Scene::new("cache_alike").await;
        let (pool, ours) = (&scene.pool, &scene.ours);
        let mut posts = scene.posts(20).await;
        let deleted = "SELECT id FROM posts WHERE soft_delete IS NOT NULL ORDER BY id LIMIT 3";
        let deleted: Vec<Uuid> = sqlx::query_scalar(deleted).fetch_all(pool).await.unwrap();
        assert!(!deleted.is_empty());
        posts.extend(deleted);
        posts.push(Uuid::nil());
        let conversations = "SELECT id FROM conversations ORDER BY id LIMIT 20";
        let mut conversations: Vec<Uuid> = sqlx::query_scalar(conversations)
            .fetch_all(pool)
            .await
            .unwrap();
        conversations.push(Uuid::nil());
        for _ in 0..2 {
            for post in &posts {
                let due = told(today::post(pool, *post).await);
                assert_eq!(due, told(ours::post(pool, ours, *post).await));
                let proposed = proposed::post(pool, &scene.proposed, *post).await;
                assert_eq!(due, told(proposed));
            }
            for id in &conversations {
                let due = told(today::conversation(pool, *id).await);
                assert_eq!(due, told(ours::conversation(pool, ours, *id).await));
                let proposed = proposed::conversation(pool, &scene.proposed, *id).await;
                assert_eq!(due, told(proposed));
            }
        }
        let counted = scene.counts.read();
        let each = (posts.len() + conversations.len()) as u64;
        assert_eq!((counted.misses, counted.hits), (each, each));
    });
}

fn told<T: Debug>(answer: verdict_baseline::Result<T>) -> String {
    format!("{:?}", answer.unwrap())
}

#[test]
fn a_hundred_misses_at_once_make_one_fetch() {
    runtime().block_on(async {
        let scene = Scene::new("cache_flight").await;
        let post = scene.posts(1).await[0];
        let before = scene.reads().await;
        let reads = (0..AT_ONCE).map(|_| scene.status(post));
        join_all(reads).await;
        let ours = scene.reads().await - before;
        assert_eq!(ours, 1, "{:?}", scene.counts.read());
        let reads = (0..AT_ONCE).map(|_| proposed::post(&scene.pool, &scene.proposed, post));
        for read in join_all(reads).await {
            read.unwrap();
        }
        let proposed = scene.reads().await - before - ours;
        assert!(proposed > 1, "{proposed} fetches");
    });
}

#[test]
fn what_was_read_before_a_write_is_not_kept_after_it() {
    runtime().block_on(async {
        let scene = Scene::new("cache_race").await;
        let posts = scene.posts(2).await;
        let (ours, proposed) = (posts[0], posts[1]);
        for post in [ours, proposed] {
            today::update_status(&scene.pool, post, "published")
                .await
                .unwrap();
        }

        let (read, wait, go_on) = held_up(&scene.pool, ours);
        let slow = scene
            .ours
            .get_or_fetch(Subject::Post(ours), Option::is_none, read);
        let write = async {
            wait.await.unwrap();
            scene.update(ours, "failed").await;
            // Who asks now does not wait for what was fetched before.
            assert_eq!(scene.status(ours).await, "failed");
            go_on.send(()).unwrap();
        };
        let (slow, ()) = tokio::join!(slow, write);
        assert_eq!(slow.unwrap().expect("a post").status, "published");
        assert_eq!(scene.status(ours).await, "failed");

        let (read, wait, go_on) = held_up(&scene.pool, proposed);
        let key = format!("post:{proposed}");
        let slow = scene.proposed.get_or_fetch(&key, read());
        let write = async {
            wait.await.unwrap();
            proposed::update_status(&scene.pool, &scene.proposed, proposed, "failed")
                .await
                .unwrap();
            go_on.send(()).unwrap();
        };
        let (slow, ()) = tokio::join!(slow, write);
        slow.unwrap();
        let stale = proposed::post(&scene.pool, &scene.proposed, proposed).await;
        assert_eq!(stale.unwrap().expect("a post").status, "published");
    });
}

type Fetched = verdict_baseline::Result<Option<today::Post>>;

/// A fetch that reads a post, says so, and waits until it is told to go on.
fn held_up(
    pool: &PgPool,
    post: Uuid,
) -> (
    impl Fn() -> BoxFuture<'static, Fetched>,
    oneshot::Receiver<()>,
    oneshot::Sender<()>,
) {
    let (has_read, wait) = oneshot::channel();
    let (go_on, told) = oneshot::channel();
    let held = Mutex::new(Some((has_read, told)));
    let pool = pool.clone();
    let fetch = move || {
        let (pool, held) = (pool.clone(), held.lock().unwrap().take());
        Box::pin(async move {
            let post = today::post(&pool, post).await;
            if let Some((has_read, told)) = held {
                has_read.send(()).unwrap();
                told.await.unwrap();
            }
            post
        }) as BoxFuture<'static, Fetched>
    };
    (fetch, wait, go_on)
}

#[test]
fn nothing_old_is_told_between_a_write_and_its_release() {
    runtime().block_on(async {
        let scene = Scene::new("cache_hold").await;
        let post = scene.posts(1).await[0];
        scene.update(post, "published").await;
        for _ in 0..2 {
            assert_eq!(scene.status(post).await, "published");
        }
        let write = async {
            assert_eq!(scene.status(post).await, "published");
            today::update_status(&scene.pool, post, "failed")
                .await
                .unwrap();
            let others = scene.update(post, "pending");
            assert_eq!(scene.status(post).await, "failed");
            others.await;
            // Another writer's release leaves this one's hold.
            let hits = scene.counts.read().hits;
            for _ in 0..3 {
                assert_eq!(scene.status(post).await, "pending");
            }
            assert_eq!(scene.counts.read().hits, hits);
        };
        scene.ours.around(&[Subject::Post(post)], write).await;
        let hits = scene.counts.read().hits;
        for _ in 0..2 {
            assert_eq!(scene.status(post).await, "pending");
        }
        assert_eq!(scene.counts.read().hits, hits + 1);
    });
}

#[test]
fn a_post_that_comes_to_be_or_goes_is_known_at_once() {
    runtime().block_on(async {
        let scene = Scene::new("cache_absent").await;
        let (pool, cache) = (&scene.pool, &scene.ours);
        let known = scene.posts(1).await[0];
        let known = today::post(pool, known).await.unwrap().expect("a post");
        let new = today::Post {
            id: Uuid::from_u128(13),
            ..known
        };
        let subject = [Subject::Post(new.id)];
        for _ in 0..2 {
            let none = ours::post(pool, cache, new.id).await.unwrap();
            assert_eq!(none, None);
            let none = proposed::post(pool, &scene.proposed, new.id).await.unwrap();
            assert_eq!(none, None);
        }
        let posted = cache.around(&subject, writes::posts::post(pool, &new));
        posted.await.unwrap();
        let deleted = today::Post {
            soft_delete: Some(new.created_at),
            ..new.clone()
        };
        let mut due = [Some(new.clone()), None].into_iter().cycle();
        for change in [None, Some(&deleted), Some(&new)] {
            if let Some(row) = change {
                let edited = cache.around(&subject, writes::posts::edit(pool, row));
                assert!(edited.await.unwrap());
            }
            let due = due.next().unwrap();
            for _ in 0..2 {
                let answer = ours::post(pool, cache, new.id).await.unwrap();
                assert_eq!(answer.map(without_time), due.clone().map(without_time));
            }
        }
        // Nothing that the audit has removes the answer that there is no such post.
        let none = proposed::post(pool, &scene.proposed, new.id).await.unwrap();
        assert_eq!(none, None);
    });
}

/// Today's trigger gives every version the time of its own.
fn without_time(post: today::Post) -> today::Post {
    today::Post {
        updated_at: post.created_at,
        ..post
    }
}

#[test]
fn a_connection_that_is_lost_comes_back() {
    runtime().block_on(async {
        let scene = Scene::new("cache_reconnect").await;
        let post = scene.posts(1).await[0];
        let mut own = (scene.endpoints.redis)
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        scene.update(post, "published").await;
        scene.status(post).await;
        let mut kill = redis::cmd("CLIENT");
        // Everybody else on this side's database is the cache.
        let listed: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query_async(&mut own)
            .await
            .unwrap();
        let database = scene.endpoints.redis.get_connection_info();
        let database = format!(" db={} ", database.redis_settings().db());
        kill.arg("KILL").arg("ID");
        let mine: i64 = redis::cmd("CLIENT")
            .arg("ID")
            .query_async(&mut own)
            .await
            .unwrap();
        let ids = listed
            .lines()
            .filter(|line| line.contains(&database))
            .filter_map(|line| line.split(' ').next()?.strip_prefix("id="))
            .filter(|id| id.parse() != Ok(mine));
        for id in ids {
            let _: i64 = kill.clone().arg(id).query_async(&mut own).await.unwrap();
        }
        until_hit(&scene, post, "published").await;
    });
}

/// Reads until Redis answers again; every answer is right.
pub async fn until_hit(scene: &Scene, post: Uuid, due: &str) {
    let (hits, began) = (scene.counts.read().hits, Instant::now());
    while scene.counts.read().hits == hits {
        assert!(began.elapsed() < Duration::from_secs(60), "no hit");
        assert_eq!(scene.status(post).await, due);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
