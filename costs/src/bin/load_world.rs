//! How near loading comes to the raw limit: the same rows, ready in files, through COPY in
//! psql.
//!
//! Both sides fill the conversations' five tables (2.3 M rows) as a world is built: tables
//! made in the transaction that fills them, frozen, without WAL. Verdict makes the rows
//! while it loads them; psql only reads them. They take turns, and the medians are compared.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::{MultiProgress, ProgressDrawTarget};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use verdict_baseline::schema;
use verdict_engines::{Choice, Engines, Options, cache_dir, host};
use verdict_seed::{Scale, World, WorldSpec, load_rows};

const TABLES: [&str; 5] = [
    "conversations",
    "conversation_members",
    "messages",
    "message_reactions",
    "message_attachments",
];
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    if let Some(code) = host::dispatch(std::env::args_os()) {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What one side took for all rows.
struct Round {
    rows: u64,
    time: Duration,
}

#[tokio::main]
async fn run() -> Result<()> {
    let options = Options {
        choice: Choice::Embedded,
        cache: cache_dir()?,
        host: std::env::current_exe()?,
        progress: MultiProgress::new(),
    };
    let world = World::new(WorldSpec {
        scale: Scale::Default,
        users: None,
        days: None,
        seed: 1,
    });
    let psql = psql(&options.cache)?;
    let mut compared = None;
    // Only while a world is built are the engines set up for loading. Nothing is kept: a
    // build that fails leaves nothing behind.
    let kept = Engines::with_world(&options, "bench_load_world", async |engines| {
        compared = Some(compare(&world, engines, &psql).await?);
        Err("a benchmark keeps no world".into())
    })
    .await;
    match (compared, kept) {
        (Some(rounds), _) => report(rounds),
        (None, Err(error)) => return Err(error).context("failed to compare"),
        (None, Ok(_)) => unreachable!("the build always fails"),
    }
    Ok(())
}

async fn compare(world: &World, engines: &Engines, psql: &Path) -> Result<[Vec<Round>; 3]> {
    let threads = std::thread::available_parallelism()?.get();
    let hidden = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let files = tempfile::tempdir()?;
    let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let postgres = database(engines, "loaded").await?;
        let clickhouse = engines.clickhouse("bench_loaded");
        let create = [
            "DROP DATABASE IF EXISTS bench_loaded",
            "CREATE DATABASE bench_loaded",
        ];
        for statement in create {
            engines
                .clickhouse("default")
                .query(statement)
                .execute()
                .await?;
        }
        let loads = load_rows(world, &postgres, &clickhouse, threads, &hidden).await?;
        let ours = loads.iter().filter(|load| TABLES.contains(&load.table));
        let rows = ours.clone().map(|load| load.rows).sum();
        // They are filled at once, so the slowest is the time of all.
        let time = ours.map(|load| load.time).max().unwrap_or_default();
        rounds[0].push(Round { rows, time });
        if round == 0 {
            for table in TABLES {
                let file = files.path().join(table);
                let copy = format!("\\copy {table} to '{}' (format binary)", file.display());
                psql_command(psql, &postgres, &[copy])?.spawn()?.wait()?;
            }
        }
        for (side, at_once) in [(1, 1), (2, 2)] {
            let target = database(engines, "raw").await?;
            let time = raw(psql, &target, files.path(), at_once)?;
            rounds[side].push(Round { rows, time });
        }
    }
    Ok(rounds)
}

/// An empty PostgreSQL database, in the place of an earlier one.
async fn database(engines: &Engines, name: &str) -> Result<PgConnectOptions> {
    let mut connection = PgConnection::connect_with(&engines.postgres("postgres")).await?;
    let name = format!("bench_{name}");
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        let statement = format!("{statement} {name}");
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    connection.execute("CHECKPOINT").await?;
    connection.close().await?;
    Ok(engines.postgres(&name))
}

/// The files through psql, so many tables at once, the largest first.
fn raw(psql: &Path, target: &PgConnectOptions, files: &Path, at_once: usize) -> Result<Duration> {
    let started = Instant::now();
    let mut waiting = TABLES.to_vec();
    waiting.sort_by_key(|table| *table == "messages");
    let mut running: Vec<std::process::Child> = Vec::new();
    while !(waiting.is_empty() && running.is_empty()) {
        while running.len() < at_once
            && let Some(table) = waiting.pop()
        {
            running.push(copy_in(psql, target, files, table)?.spawn()?);
        }
        let mut still = Vec::new();
        for mut child in running {
            match child.try_wait()? {
                Some(status) => ensure!(status.success(), "psql refused to copy a file in"),
                None => still.push(child),
            }
        }
        running = still;
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(started.elapsed())
}

fn copy_in(psql: &Path, target: &PgConnectOptions, files: &Path, table: &str) -> Result<Command> {
    let create = schema::statements(schema::TABLES)
        .find(|statement| statement.contains(&format!("CREATE TABLE {table} (")))
        .context("a table of the schema")?;
    let file = files.join(table);
    let copy = format!(
        "\\copy {table} from '{}' (format binary, freeze)",
        file.display()
    );
    psql_command(
        psql,
        target,
        &["BEGIN".into(), create.into(), copy, "COMMIT".into()],
    )
}

fn psql_command(psql: &Path, target: &PgConnectOptions, commands: &[String]) -> Result<Command> {
    let url = target.to_url_lossy();
    let mut command = Command::new(psql);
    command
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"])
        .args([
            "-h",
            target.get_host(),
            "-p",
            &target.get_port().to_string(),
        ])
        .args(["-U", target.get_username()])
        .args(["-d", target.get_database().context("a database")?])
        // Not on the command line, where everybody can read it.
        .env("PGPASSWORD", url.password().unwrap_or_default());
    for statement in commands {
        command.args(["-c", statement]);
    }
    Ok(command)
}

/// The psql of the embedded PostgreSQL, which is fetched by the first start of the engines.
fn psql(cache: &Path) -> Result<PathBuf> {
    let mut folders = vec![cache.join("packages")];
    while let Some(folder) = folders.pop() {
        let program = folder.join("bin").join("psql");
        if program.is_file() {
            return Ok(program);
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    // A machine that has run nothing yet may have one of its own.
    Ok(PathBuf::from("psql"))
}

fn report(rounds: [Vec<Round>; 3]) {
    let rate = |rounds: &Vec<Round>| {
        let rates = rounds.iter().map(|r| r.rows as f64 / r.time.as_secs_f64());
        let mut rates: Vec<_> = rates.collect();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let [verdict, psql, pair] = [rate(&rounds[0]), rate(&rounds[1]), rate(&rounds[2])];
    println!("rows made and loaded by Verdict    {verdict:>10.0} rows/s");
    println!("COPY by psql, one table at a time  {psql:>10.0} rows/s");
    println!("COPY by psql, two tables at once   {pair:>10.0} rows/s");
    println!(
        "Verdict reaches {:.0} % of psql alone, and {:.0} % of two at once (medians of {ROUNDS})",
        verdict / psql * 100.0,
        verdict / pair * 100.0,
    );
}
