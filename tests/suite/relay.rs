//! What a line counts of real engines, and how it holds them back.

use std::time::{Duration, Instant};

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};
use verdict_engines::{Endpoints, Line, Sandbox};

use crate::common::{engines, runtime};

async fn side(role: &str) -> Sandbox {
    engines().await.sandbox(role).await.unwrap()
}

fn counted(endpoints: &Endpoints) -> Line {
    Line::open(endpoints, Duration::ZERO).unwrap()
}

#[test]
fn a_prepared_statement_is_one_turn_and_a_tested_pool_makes_it_more() {
    runtime().block_on(async {
        let side = side("relay_postgres").await;
        let line = counted(side.endpoints());
        let mut connection = PgConnection::connect_with(&line.endpoints().postgres)
            .await
            .unwrap();
        let read = "SELECT count(*) FROM posts WHERE id = $1";
        let id = sqlx::types::Uuid::nil();
        let mut turns = Vec::new();
        for _ in 0..4 {
            let before = line.totals();
            let _: i64 = sqlx::query_scalar(read)
                .bind(id)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            turns.push(line.totals().since(before).postgres.turns);
        }
        assert_eq!(turns[1..], [1, 1, 1], "the first prepares: {turns:?}");
        let before = line.totals();
        sqlx::raw_sql("SELECT 1; SELECT 2; SELECT 3")
            .execute(&mut connection)
            .await
            .unwrap();
        assert_eq!(
            line.totals().since(before).postgres.turns,
            1,
            "three statements in one message"
        );
        connection.close().await.unwrap();

        let mut by_test = Vec::new();
        for test in [false, true] {
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .test_before_acquire(test)
                .connect_with(line.endpoints().postgres.clone())
                .await
                .unwrap();
            let point = async || {
                let _: i64 = sqlx::query_scalar(read)
                    .bind(id)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
                // What a pool does when it gets a connection back, it does in the background.
                while pool.num_idle() == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            point().await;
            let before = line.totals();
            point().await;
            by_test.push(line.totals().since(before).postgres.turns);
            pool.close().await;
        }
        // A ping before the call, the call, a ping on the way back.
        assert_eq!(by_test, [2, 3]);
        assert_eq!(line.totals().clickhouse.turns, 0);
        assert_eq!(line.totals().redis.turns, 0);
        engines()
            .await
            .drop_sandbox("relay_postgres")
            .await
            .unwrap();
    });
}

#[test]
fn connections_at_once_are_counted_as_one_after_the_other() {
    runtime().block_on(async {
        let side = side("relay_callers").await;
        let line = counted(side.endpoints());
        let callers = (0..6).map(|_| async {
            let mut connection = PgConnection::connect_with(&line.endpoints().postgres)
                .await
                .unwrap();
            sqlx::query("SELECT 1")
                .execute(&mut connection)
                .await
                .unwrap();
            connection
        });
        let mut connections = futures_util::future::join_all(callers).await;
        let before = line.totals();
        let calls = connections.iter_mut().map(async |connection| {
            for _ in 0..25 {
                sqlx::query("SELECT 1")
                    .execute(&mut *connection)
                    .await
                    .unwrap();
            }
        });
        futures_util::future::join_all(calls).await;
        let since = line.totals().since(before).postgres;
        assert_eq!(since.turns, 6 * 25);
        assert_eq!(since.bytes_sent % (6 * 25), 0, "all calls are alike");
        drop(connections);
        engines().await.drop_sandbox("relay_callers").await.unwrap();
    });
}

#[test]
fn clickhouses_summaries_are_what_its_query_log_says() {
    runtime().block_on(async {
        let side = side("relay_clickhouse").await;
        let line = counted(side.endpoints());
        let comment = format!("relay {}", engines().await.run_id());
        let client = line
            .endpoints()
            .clickhouse
            .clone()
            .with_setting("log_queries", "1")
            .with_setting("log_comment", &comment)
            .with_setting("wait_end_of_query", "1");
        client
            .query("CREATE TABLE relayed (n UInt64) ENGINE = MergeTree ORDER BY n")
            .execute()
            .await
            .unwrap();
        client
            .query("INSERT INTO relayed SELECT number FROM numbers(1000)")
            .execute()
            .await
            .unwrap();
        for limit in [10_u64, 700] {
            let rows = client
                .query("SELECT n FROM relayed WHERE n < ?")
                .bind(limit)
                .fetch_all::<u64>()
                .await
                .unwrap();
            assert_eq!(rows.len() as u64, limit);
        }
        let seen = line.totals().clickhouse;

        let direct = &side.endpoints().clickhouse;
        let logged = async || {
            direct.query("SYSTEM FLUSH LOGS").execute().await.unwrap();
            let sums = direct.query(
                "SELECT count(), sum(read_rows), sum(read_bytes), sum(written_rows), sum(written_bytes)
                 FROM system.query_log WHERE log_comment = ? AND type = 'QueryFinish'",
            );
            let sums = sums.bind(&comment).fetch_one::<(u64, u64, u64, u64, u64)>();
            sums.await.unwrap()
        };
        // A query is logged when its answer is sent, not before.
        let started = Instant::now();
        let mut last = logged().await;
        while last.0 < 4 && started.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            last = logged().await;
        }
        let (requests, read_rows, read_bytes, written_rows, written_bytes) = last;
        let summaries = seen.summaries;
        assert_eq!(
            (
                summaries.requests,
                summaries.read_rows,
                summaries.read_bytes,
                summaries.written_rows,
                summaries.written_bytes
            ),
            (requests, read_rows, read_bytes, written_rows, written_bytes)
        );
        assert_eq!((requests, written_rows), (4, 1000));
        assert!(summaries.memory_bytes > 0);
        assert_eq!(seen.turns, 4);
        engines().await.drop_sandbox("relay_clickhouse").await.unwrap();
    });
}

#[test]
fn a_redis_command_is_one_turn_and_so_is_a_pipeline() {
    runtime().block_on(async {
        let side = side("relay_redis").await;
        let line = counted(side.endpoints());
        let mut connection = line
            .endpoints()
            .redis
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        let mut turns = Vec::new();
        for length in [0, 100] {
            let before = line.totals();
            let mut pipeline = redis::pipe();
            pipeline.get("key");
            for _ in 0..length {
                pipeline.get("key");
            }
            pipeline.exec_async(&mut connection).await.unwrap();
            turns.push(line.totals().since(before).redis.turns);
        }
        assert_eq!(turns, [1, 1]);
        engines().await.drop_sandbox("relay_redis").await.unwrap();
    });
}

#[test]
fn a_line_holds_back_every_engine_and_its_round_trip_is_measured() {
    runtime().block_on(async {
        let side = side("relay_line").await;
        let one_way = Duration::from_millis(5);
        let line = Line::open(side.endpoints(), one_way).unwrap();
        let relayed = counted(side.endpoints());
        let plain = relayed.endpoints().measured_round_trip().await.unwrap();
        let held = line.endpoints().measured_round_trip().await.unwrap();
        assert!(held >= 2 * one_way, "{held:?}");
        println!("a round trip of 10 ms is {held:?}, over a plain relay {plain:?}");

        let mut connection = PgConnection::connect_with(&line.endpoints().postgres)
            .await
            .unwrap();
        for _ in 0..2 {
            let (before, began) = (line.totals(), Instant::now());
            sqlx::query("SELECT 1")
                .execute(&mut connection)
                .await
                .unwrap();
            let turns = line.totals().since(before).postgres.turns;
            let turns = u32::try_from(turns).unwrap();
            assert!(turns > 0 && began.elapsed() >= turns * 2 * one_way);
        }
        let began = Instant::now();
        let client = line.endpoints().clickhouse.clone();
        let one: u8 = client.query("SELECT 1").fetch_one().await.unwrap();
        assert_eq!(one, 1);
        assert!(began.elapsed() >= 2 * one_way);
        engines().await.drop_sandbox("relay_line").await.unwrap();
    });
}
