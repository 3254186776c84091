//! Engines in the user's servers and in containers leave nothing behind, either.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::PgPool;
use verdict_engines::{Choice, Engines, Line, Options};

use crate::common::{options, runtime};
use crate::engines::{Held, own_cache};

#[test]
fn in_the_users_servers_it_makes_databases_of_its_own_and_leaves_the_others_alone() {
    let cache = own_cache();
    // Servers that stand for the user's, with something precious in them.
    let theirs = runtime().block_on(Engines::start(&options())).unwrap();
    let admin = runtime()
        .block_on(PgPool::connect_with(theirs.postgres("postgres")))
        .unwrap();
    runtime().block_on(async {
        for name in ["precious", "verdict_notes"] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .execute(&admin)
                .await
                .unwrap();
            theirs
                .clickhouse("default")
                .query(&format!("CREATE DATABASE {name}"))
                .execute()
                .await
                .unwrap();
        }
    });
    // Databases 1 and 3 of Redis are somebody's, and one has a key of Verdict's own name.
    for (number, key) in [(1, "precious"), (3, "verdict:run")] {
        runtime().block_on(set(&theirs, number, key));
    }
    let keyspace = || runtime().block_on(keyspace(&theirs));
    let keys = keyspace();
    let databases = || runtime().block_on(databases(&theirs, &admin));
    let before = databases();
    let urls = runtime().block_on(urls(&theirs));
    let external = |word: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verdict"));
        command
            .arg(word)
            .env("VERDICT_CACHE", cache.path())
            .env("VERDICT_ENGINES", "external")
            .envs(urls.clone());
        command
    };

    let roles = ["baseline", "A-`side\""];
    let hold = |key: &str| {
        let mut command = external("engine-hold");
        command.arg(key).args(roles);
        command
    };
    let first = Held::start(&mut hold("key"), cache.path());
    assert_eq!(first.word, "built");
    let second = Held::start(&mut hold("key"), cache.path());
    assert_eq!(second.word, "found");
    // For each run its own copy of the one world, and one per side, in both servers.
    let now = databases();
    assert_eq!(now.len(), before.len() + 2 * (1 + 2 * 3), "{now:?}");
    for held in [&first, &second] {
        for role in roles.into_iter().chain(["world"]) {
            let database = format!("verdict_{}_{role}", held.run());
            assert_eq!(runtime().block_on(rows(&theirs, &database)), (1000, 1000));
        }
    }
    // In Redis, each side has one that was empty.
    let claimed: Vec<String> = [2, 4, 5, 6].map(|n| format!("db{n}:keys=1")).into();
    assert!(claimed.iter().all(|one| keyspace().contains(one)));
    assert_eq!(keyspace().len(), keys.len() + claimed.len());
    // Whatever a trial writes there goes with its run.
    runtime().block_on(set(&theirs, 4, "written by a trial"));

    first.signal(Signal::SIGKILL);
    first.wait_for("an empty cache", |held| {
        held.processes().is_empty() && !held.folder.exists()
    });
    second.signal(Signal::SIGTERM);
    second.wait_for("an empty cache", |held| {
        held.processes().is_empty() && !held.folder.exists()
    });
    assert_eq!(
        databases().len(),
        before.len() + 2,
        "only the sealed world is left"
    );
    assert_eq!(
        keyspace(),
        keys,
        "what was claimed is given back, and no more"
    );

    // A world that has lost a row is told and built anew.
    let mut all = databases().into_iter();
    let sealed = all.find(|name| name.starts_with("verdict_world_")).unwrap();
    runtime().block_on(async {
        let sealed = theirs.postgres(&sealed);
        let pool = PgPool::connect_with(sealed).await.unwrap();
        let gone = sqlx::query("DELETE FROM t WHERE n = 7");
        gone.execute(&pool).await.unwrap();
        pool.close().await;
    });
    let mended = Held::start(&mut hold("key"), cache.path());
    assert_eq!(mended.word, "built");
    mended.signal(Signal::SIGTERM);
    mended.wait_for("an empty cache", |held| !held.folder.exists());

    // A run whose keeper is killed as well leaves all behind, for the next start to find.
    let dead = Held::start(&mut hold("key"), cache.path());
    dead.kill_keeper();
    dead.signal(Signal::SIGKILL);
    dead.wait_for("nobody", |held| held.processes().is_empty());
    assert!(keyspace().len() > keys.len());
    let next = Held::start(&mut external("engine-hold"), cache.path());
    assert_eq!(keyspace(), keys);
    next.signal(Signal::SIGTERM);
    next.wait_for("an empty cache", |held| !held.folder.exists());

    // A flushed claim is not a claim: what is there then may be anybody's.
    let robbed = Held::start(&mut hold("key"), cache.path());
    runtime().block_on(async {
        let client = theirs.redis();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::pipe()
            .cmd("SELECT")
            .arg(2)
            .cmd("FLUSHDB")
            .exec_async(&mut connection)
            .await
            .unwrap();
    });
    runtime().block_on(set(&theirs, 2, "somebody else's"));
    robbed.signal(Signal::SIGTERM);
    robbed.wait_for("an empty cache", |held| !held.folder.exists());
    assert!(keyspace().contains(&"db2:keys=1".to_owned()));

    for number in 1..64 {
        runtime().block_on(set(&theirs, number, "full"));
    }
    let full = keyspace();
    let refused = hold("key").output().unwrap();
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("no empty database"), "{words}");
    assert_eq!(keyspace(), full);

    let cleaned = external("clean")
        .args(["--engines", "external"])
        .output()
        .unwrap();
    assert!(cleaned.status.success(), "{cleaned:?}");
    assert_eq!(databases(), before);
}

#[test]
fn a_url_that_leads_nowhere_is_named_without_its_password() {
    let cache = own_cache();
    let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .arg("engine-hold")
        .env("VERDICT_CACHE", cache.path())
        .env("VERDICT_ENGINES", "external")
        .env("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/db")
        .env("CLICKHOUSE_URL", "http://127.0.0.1:1")
        .env("REDIS_URL", "redis://127.0.0.1:1/")
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.contains("DATABASE_URL") && !words.contains("hunter2"),
        "{words}"
    );
}

#[test]
fn containers_hold_a_world_and_are_gone_at_the_end() {
    let cache = own_cache();
    let options = Options {
        choice: Choice::Containers,
        cache: cache.path().to_owned(),
        ..options()
    };
    let doctor = runtime().block_on(verdict_engines::doctor(&options, false));
    if !doctor.is_ready() {
        println!("skipped: no Docker daemon with the images\n{doctor}");
        return;
    }
    let hold = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verdict"));
        command
            .args(["engine-hold", &key(cache.path())])
            .env("VERDICT_CACHE", cache.path())
            .env("VERDICT_ENGINES", "containers");
        command
    };
    let first = Held::start(&mut hold(), cache.path());
    assert_eq!(first.word, "built");
    assert_eq!(containers(&first), 3);
    first.signal(Signal::SIGKILL);
    first.wait_for("an empty cache and no container", |held| {
        !held.folder.exists() && containers(held) == 0
    });

    runtime().block_on(async {
        let key = key(cache.path());
        let engines =
            Engines::with_world(&options, &key, async |_: &Engines| panic!("it is there"))
                .await
                .unwrap();
        assert_eq!(rows(&engines, engines.world()).await, (1000, 1000));
        let info = engines.info().await.unwrap();
        assert!(
            info[0].version.starts_with("18.") && info[1].version.starts_with("26.7."),
            "{info:?}"
        );
        assert_eq!(info[0].settings["fsync"], "on");
        let side = engines.sandbox("A-`side").await.unwrap();
        assert_eq!(rows(&engines, side.database()).await, (1000, 1000));
        let line = Line::open(side.endpoints(), Duration::from_millis(1)).unwrap();
        let measured = line.endpoints().measured_round_trip().await.unwrap();
        assert!(measured >= Duration::from_millis(2), "{measured:?}");
        engines.stop().await.unwrap();
        verdict_engines::clean(&options).await.unwrap();
    });
}

/// A world that no other test run has sealed in the same daemon.
fn key(cache: &Path) -> String {
    format!("test {}", cache.display())
}

fn containers(held: &Held) -> usize {
    let label = format!("label=verdict.run={}", held.folder.display());
    let output = Command::new("docker")
        .args(["ps", "-aq", "--filter", &label])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().count()
}

async fn databases(engines: &Engines, admin: &PgPool) -> Vec<String> {
    let mut all: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database ORDER BY datname")
            .fetch_all(admin)
            .await
            .unwrap();
    let client = engines.clickhouse("default");
    all.extend(
        client
            .query("SELECT name FROM system.databases ORDER BY name")
            .fetch_all::<String>()
            .await
            .unwrap(),
    );
    all
}

async fn rows(engines: &Engines, database: &str) -> (i64, u64) {
    let pool = PgPool::connect_with(engines.postgres(database))
        .await
        .unwrap();
    let rows = sqlx::query_scalar("SELECT count(*) FROM t")
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    (
        rows,
        engines
            .clickhouse(database)
            .query("SELECT count() FROM t")
            .fetch_one()
            .await
            .unwrap(),
    )
}

/// Sets a key in a numbered Redis database.
async fn set(engines: &Engines, number: i64, key: &str) {
    let client = engines.redis();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::pipe()
        .cmd("SELECT")
        .arg(number)
        .cmd("SET")
        .arg(key)
        .arg("somebody's")
        .exec_async(&mut connection)
        .await
        .unwrap();
}

/// The Redis databases that hold something, and how many keys.
async fn keyspace(engines: &Engines) -> Vec<String> {
    let client = engines.redis();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let answer: String = redis::cmd("INFO")
        .arg("keyspace")
        .query_async(&mut connection)
        .await
        .unwrap();
    answer
        .lines()
        .filter(|line| line.starts_with("db"))
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect()
}

/// The three variables that make these servers a user's.
pub async fn urls(engines: &Engines) -> [(&'static str, String); 3] {
    let redis = engines.redis();
    let info = redis.get_connection_info();
    let password = info.redis_settings().password().unwrap().to_owned();
    let postgres = engines.postgres("postgres").get_port();
    let clickhouse: u16 = engines
        .clickhouse("default")
        .query("SELECT getServerPort('http_port')")
        .fetch_one()
        .await
        .unwrap();
    [
        (
            "DATABASE_URL",
            format!("postgres://verdict:{password}@127.0.0.1:{postgres}/postgres"),
        ),
        (
            "CLICKHOUSE_URL",
            format!("http://verdict:{password}@127.0.0.1:{clickhouse}/"),
        ),
        ("REDIS_URL", format!("redis://:{password}@{}/", info.addr())),
    ]
}
