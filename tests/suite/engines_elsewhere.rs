//! Engines in the user's servers and in containers leave nothing behind, either.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use sqlx::PgPool;
use verdict_engines::{Choice, Engines, Options};

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

    let first = Held::start(external("engine-hold").arg("key"), cache.path());
    assert_eq!(first.word, "built");
    let second = Held::start(external("engine-hold").arg("key"), cache.path());
    assert_eq!(second.word, "found");
    // For each run its own copy of the one world, in both servers.
    let now = databases();
    assert_eq!(now.len(), before.len() + 2 * 3, "{now:?}");
    for held in [&first, &second] {
        let world = format!("verdict_{}_world", held.run());
        assert_eq!(runtime().block_on(rows(&theirs, &world)), (1000, 1000));
    }

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
    let doctor = runtime().block_on(verdict_engines::doctor(&options));
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
        engines.clone_world("trial").await.unwrap();
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

/// The three variables that make these servers a user's.
async fn urls(engines: &Engines) -> [(&'static str, String); 3] {
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
