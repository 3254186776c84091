//! `verdict monitor`: what a server tells of itself, whoever asks, and that asking writes nothing.

use std::process::{Command, Output};

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, query};
use verdict_engines::Endpoints;
use verdict_monitor::{clickhouse, postgres};

use crate::common::{engines, runtime};

/// Runs `verdict monitor` on a server.
fn monitor(url: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["monitor", "--url", url])
        .args(more)
        .env_remove("CLICKHOUSE_URL")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it tells of a server as JSON.
fn told(url: &str) -> Value {
    let output = monitor(url, &["--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The exit code of one that is refused, and what it complains of.
fn refused(url: &str, more: &[&str]) -> (i32, String) {
    let output = monitor(url, more);
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    (output.status.code().unwrap(), text(&output.stderr))
}

/// Databases of a test's own.
async fn side(role: &str) -> Endpoints {
    let side = engines().await.sandbox(role).await.unwrap();
    side.endpoints().clone()
}

async fn run(session: &mut PgConnection, statement: String) {
    session.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// Someone who may connect and what is granted, and do nothing else, for as long as it takes.
fn as_someone(role: &str, granted: &str, server: &PgConnectOptions, held: impl FnOnce(&str)) {
    let mut session = runtime().block_on(server.connect()).unwrap();
    runtime().block_on(async {
        run(&mut session, format!("DROP ROLE IF EXISTS {role}")).await;
        run(
            &mut session,
            format!("CREATE ROLE {role} LOGIN PASSWORD 'hush'"),
        )
        .await;
        let only = format!("ALTER ROLE {role} SET default_transaction_read_only = on");
        run(&mut session, only).await;
        if !granted.is_empty() {
            run(&mut session, format!("GRANT {granted} TO {role}")).await;
        }
    });
    let as_role = server.clone().username(role).password("hush");
    held(as_role.to_url_lossy().as_str());
    runtime().block_on(run(&mut session, format!("DROP ROLE {role}")));
}

#[test]
fn a_postgres_tells_its_statements_by_time_and_by_pages_and_its_tables_and_indexes() {
    let told = runtime().block_on(async {
        let server = side("monitored").await.postgres;
        let mut busy = server.connect().await.unwrap();
        for _ in 0..30 {
            query("SELECT SUM(LENGTH(content)) FROM messages")
                .execute(&mut busy)
                .await
                .unwrap();
        }
        query("SELECT PG_SLEEP(0.2)")
            .execute(&mut busy)
            .await
            .unwrap();
        // A session that ends tells what it has counted.
        busy.close().await.unwrap();
        let mut session = postgres::connect(&server).await.unwrap();
        postgres::read(&mut session).await.unwrap()
    });
    let statements = told.statements.told().unwrap();
    let of = |listed: &[postgres::Statement], word: &str| {
        let mut listed = listed.iter();
        listed
            .find(|statement| statement.text.contains(word))
            .cloned()
    };
    let sum = of(&statements.by_total, "SUM(LENGTH(content))").unwrap();
    assert_eq!((sum.calls, sum.rows), (30, 30));
    assert_eq!(
        of(&statements.by_pages_a_row, "SUM(LENGTH"),
        Some(sum.clone())
    );
    assert!(sum.pages_a_row() > 10.0, "{sum:?}");
    assert_eq!(of(&statements.by_total, "verdict monitor"), None);
    for listed in [&statements.by_total, &statements.by_pages_a_row] {
        assert!(listed.len() <= 20);
    }
    let totals = statements.by_total.iter().map(|of| of.total_ms);
    assert!(totals.is_sorted_by(|a, b| a >= b));
    let audits = statements.above_100_ms.told().unwrap();
    let slept = audits.iter().find(|of| {
        let text = of.query.as_deref().unwrap_or_default();
        text.contains("PG_SLEEP")
    });
    // It lists the 20 slowest of all databases of the server, where other tests are busy too.
    let all_slower = audits.len() == 20 && audits.iter().all(|of| of.avg_ms >= 200);
    assert!(slept.is_some() || all_slower, "{audits:?}");
    assert!(audits.iter().all(|of| of.avg_ms >= 100), "{audits:?}");

    let tables = told.tables.told().unwrap();
    let messages = tables
        .scanned
        .iter()
        .find(|of| of.table == "public.messages");
    assert!(messages.unwrap().scans >= 30, "{:?}", tables.scanned);
    assert!(!tables.unused.is_empty());
    assert!(told.cache.told().unwrap().hit_ratio().is_some());
    let connections = told.connections.told().unwrap();
    assert!(connections.used > 0 && connections.used <= connections.limit);
    assert_eq!(connections.hidden, 0);
    assert!(told.waits.told().is_some());
    let log = told.slow_log.missing().unwrap();
    assert!(log.remedy.contains("log_min_duration_statement"));
}

#[test]
fn a_clickhouse_tells_its_queries_parts_merges_and_growth() {
    let side = runtime().block_on(side("monitored-events"));
    runtime().block_on(async {
        let server = &side.clickhouse;
        let logged = server.clone().with_setting("log_queries", "1");
        for _ in 0..7 {
            let count = logged.query("SELECT count() FROM likes_cdc WHERE post_id = 'monitored'");
            count.fetch_one::<u64>().await.unwrap();
        }
        // The largest of the server, where other tests have tables too: lists end with the 20th.
        for statement in [
            "CREATE TABLE grown (text String) ENGINE = MergeTree ORDER BY tuple()",
            "INSERT INTO grown SELECT randomString(200) FROM numbers(200000)",
            "SYSTEM FLUSH LOGS",
        ] {
            server.query(statement).execute().await.unwrap();
        }
        let told = clickhouse::read(server).await.unwrap();
        let queries = told.queries.told().unwrap();
        let mut all = queries.by_total.iter().chain(&queries.by_rows_read);
        assert!(
            all.all(|query| !query.text.contains("'monitored'")),
            "{queries:?}"
        );
        assert!(queries.all.calls >= 7);
        let tables = told.tables.told().unwrap();
        let grown = tables.iter().find(|of| of.name.ends_with(".grown"));
        assert_eq!(grown.map(|of| of.rows), Some(200_000), "{tables:?}");
        assert!(
            tables.iter().all(|of| of.parts >= of.most_parts),
            "{tables:?}"
        );
        let partitions = told.partitions.told().unwrap();
        assert!(
            partitions.iter().any(|of| of.table.ends_with(".grown")),
            "{partitions:?}"
        );
        assert!(told.merging.told().is_some());
        assert!(told.merges.told().is_some(), "{:?}", told.merges);
        let growth = told.growth.told().unwrap();
        assert!(
            growth.iter().any(|of| of.table.ends_with(".grown")),
            "{growth:?}"
        );
        // Nothing can be written by whoever asks.
        let session = clickhouse::read_only(server);
        let write = session.query("CREATE TABLE monitored (id UInt8) ENGINE = Memory");
        let words = write.execute().await.unwrap_err().to_string();
        assert!(
            words.contains("READONLY") || words.contains("readonly"),
            "{words}"
        );
    });
    let (url, password) = clickhouse_url(&side);
    let postgres = side.postgres.to_url_lossy();
    let shown = monitor(postgres.as_str(), &["--clickhouse", &url]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    for word in ["\nClickHouse ", "\nPartitions\n", "\nGrowth\n", ".grown\n"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(!shown.contains(&password), "{shown}");
}

/// Where a side's ClickHouse is, with the credentials, and the password by itself.
fn clickhouse_url(side: &Endpoints) -> (String, String) {
    let address = serde_json::to_value(side.clickhouse_address()).unwrap();
    let url = address["url"].as_str().unwrap();
    let login = |place: usize| address["login"][place].as_str().unwrap_or_default();
    let (scheme, host) = url.split_once("://").unwrap();
    let url = format!("{scheme}://{}:{}@{host}", login(0), login(1));
    (url, login(1).to_owned())
}

#[test]
fn nothing_can_be_written_by_the_session_that_asks() {
    runtime().block_on(async {
        let server = side("monitored-only").await.postgres;
        let mut session = postgres::connect(&server).await.unwrap();
        for write in ["CREATE TABLE monitored (id int)", "DELETE FROM likes"] {
            let error = query(write).execute(&mut session).await.unwrap_err();
            let code = error.as_database_error().unwrap().code();
            assert_eq!(code.as_deref(), Some("25006"), "{error}");
        }
    });
}

#[test]
fn a_role_without_rights_is_told_what_it_may_know_and_how_to_have_the_rest() {
    let server = runtime().block_on(side("monitored-by-many")).postgres;
    runtime().block_on(async {
        let mut others = server.connect().await.unwrap();
        query("SELECT COUNT(*) FROM users")
            .execute(&mut others)
            .await
            .unwrap();
        others.close().await.unwrap();
    });
    as_someone("monitor_nobody", "", &server, |url| {
        let told = &told(url)["postgres"];
        let missing = &told["statements"]["told"]["missing"];
        let grant = "GRANT pg_monitor TO monitor_nobody";
        let remedies: Vec<&Value> = missing
            .as_array()
            .unwrap()
            .iter()
            .map(|m| &m["remedy"])
            .collect();
        assert!(remedies.contains(&&Value::from(grant)), "{missing}");
        assert_eq!(told["waits"]["missing"]["remedy"], grant);
        assert!(
            told["connections"]["told"]["hidden"].as_u64().unwrap() > 0,
            "{told}"
        );
        assert!(told["tables"]["told"]["unused"].is_array(), "{told}");
        let shown = monitor(url, &[]);
        assert!(shown.status.success());
        let shown = text(&shown.stdout);
        assert!(shown.contains(&format!("To have it: {grant}")), "{shown}");
        assert!(shown.contains('█') && !shown.contains("hush"), "{shown}");
    });
    as_someone("monitor_reader", "pg_monitor", &server, |url| {
        let told = &told(url)["postgres"];
        assert_eq!(told["statements"]["told"]["all"]["hidden"], 0);
        assert!(told["waits"]["told"].is_array(), "{told}");
        let listed = told["statements"]["told"]["by_total"].to_string();
        assert!(listed.contains("SELECT COUNT(*) FROM users"), "{listed}");
    });
}

#[test]
fn a_database_without_the_extension_is_told_how_to_have_it() {
    let server = runtime().block_on(side("monitored-bare")).postgres;
    let mut admin = runtime().block_on(server.connect()).unwrap();
    let name = "verdict_monitor_bare";
    runtime().block_on(async {
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(
            &mut admin,
            format!("CREATE DATABASE {name} TEMPLATE template0"),
        )
        .await;
    });
    as_someone(
        "monitor_bare",
        "pg_monitor",
        &server.database(name),
        |url| {
            let told = &told(url)["postgres"];
            let missing = &told["statements"]["missing"];
            assert_eq!(missing["remedy"], "CREATE EXTENSION pg_stat_statements");
            assert!(told["connections"]["told"].is_object(), "{told}");
        },
    );
    runtime().block_on(run(
        &mut admin,
        format!("DROP DATABASE {name} WITH (FORCE)"),
    ));
}

#[test]
fn a_server_that_is_none_or_not_there_or_lets_nobody_in_is_one_clear_error() {
    let server = runtime().block_on(side("monitored-shut")).postgres;
    let stranger = server.clone().password("hush").to_url_lossy().to_string();
    let there = server.to_url_lossy().to_string();
    for (url, more, code, word) in [
        ("mysql://me:hush@127.0.0.1:1/x", &[][..], 64, "--url"),
        ("", &[], 64, "--url"),
        (
            &there,
            &["--clickhouse", "https://me:hush@db"],
            64,
            "--clickhouse",
        ),
        ("postgres://me:hush@127.0.0.1:1/x", &[], 69, "PostgreSQL"),
        (
            &there,
            &["--clickhouse", "http://me:hush@127.0.0.1:1"],
            69,
            "ClickHouse",
        ),
        (&stranger, &[], 77, "PostgreSQL"),
    ] {
        let (found, complaint) = refused(url, more);
        assert_eq!(found, code, "{complaint}");
        assert!(
            complaint.contains(word) && !complaint.contains("hush"),
            "{complaint}"
        );
        assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    }
}
