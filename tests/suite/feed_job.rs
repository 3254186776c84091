//! The job behind the feeds in a process of its own, which is killed anywhere on its way.

use std::io::{BufRead, BufReader, Lines, Write, stdin};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use clickhouse::Client;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_engines::ClickHouseAddress;
use verdict_optimized::feed_job;

use crate::common::{migrated, runtime};

/// Processes that are killed, each within so long of the beginning of a refresh.
const KILLS: u32 = 6;
const WITHIN: Duration = Duration::from_millis(1_500);

/// What a process says at the beginning of each refresh.
const BEGINS: &str = "refreshing";

#[test]
fn whenever_its_process_is_killed_the_tables_are_whole_and_the_next_run_refreshes_them() {
    let side = runtime().block_on(migrated("feed_job"));
    let client = side.clickhouse.client();
    let contents = || runtime().block_on(contents(&client));
    let filled = contents();
    assert_eq!(filled.len(), 5, "{filled:?}");
    assert!(filled.iter().all(|(_, rows, _)| *rows > 0), "{filled:?}");
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..KILLS {
        let (mut job, _output) = start(&side.clickhouse);
        std::thread::sleep(random.random_range(Duration::ZERO..WITHIN));
        job.kill().unwrap();
        job.wait().unwrap();
        // By the same clock every refresh makes the same rows.
        assert_eq!(contents(), filled);
    }
    runtime().block_on(async {
        // A statement that had begun goes on without whoever asked for it.
        let began = Instant::now();
        while running(&client).await > 0 {
            assert!(began.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        feed_job::refresh(&client).await.unwrap();
        feed_job::sweep(&client, Duration::ZERO).await.unwrap();
        let staged = "SELECT count() FROM system.tables
            WHERE database = currentDatabase() AND position(name, '__') > 0";
        let left: u64 = client.query(staged).fetch_one().await.unwrap();
        assert_eq!(left, 0);
    });
    assert_eq!(contents(), filled);
}

/// Of each table that readers read: its name, its rows, and what they come to.
async fn contents(client: &Client) -> Vec<(String, u64, u64)> {
    let names = "SELECT name FROM system.tables
        WHERE database = currentDatabase()
          AND startsWith(name, 'feed_')
          AND position(name, '__') = 0
        ORDER BY name";
    let names: Vec<String> = client.query(names).fetch_all().await.unwrap();
    let mut contents = Vec::new();
    for name in names {
        let sum = format!("SELECT count(), sum(cityHash64(*)) FROM {name}");
        let (rows, sum): (u64, u64) = client.query(&sum).fetch_one().await.unwrap();
        contents.push((name, rows, sum));
    }
    contents
}

/// Statements that fill tables just now.
async fn running(client: &Client) -> u64 {
    let running = "SELECT count() FROM system.processes
        WHERE current_database = currentDatabase() AND query_kind = 'Insert'";
    client.query(running).fetch_one().await.unwrap()
}

/// This test program once more, as the job, which has begun to refresh; and its output, which it
/// must be able to write.
fn start(address: &ClickHouseAddress) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut job = Command::new(std::env::current_exe().unwrap())
        .args([
            "feed_job::a_process_that_refreshes",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = job.stdin.take().unwrap();
    writeln!(input, "{}", serde_json::to_string(address).unwrap()).unwrap();
    let mut lines = BufReader::new(job.stdout.take().unwrap()).lines();
    let began = lines.any(|line| line.is_ok_and(|line| line == BEGINS));
    assert!(began, "it never began");
    (job, lines)
}

#[test]
#[ignore = "the process that the test above kills"]
fn a_process_that_refreshes() {
    let Some(Ok(line)) = stdin().lines().next() else {
        return;
    };
    let address: ClickHouseAddress = serde_json::from_str(&line).unwrap();
    let client = address.client();
    loop {
        println!("\n{BEGINS}");
        runtime().block_on(feed_job::refresh(&client)).unwrap();
    }
}
