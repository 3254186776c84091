//! How near loading comes to the raw limit: the same rows, ready in files as they arrived, through
//! COPY in psql and through INSERT over HTTP, on as many connections as there are processors.
//!
//! Both sides fill every table of the default world (`VERDICT_SCALE` names another) as a world is
//! built: PostgreSQL's made in the transaction that fills them, frozen, without WAL. Verdict makes
//! the rows while it loads them; the others only read them. They take turns, and the medians are
//! compared.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clickhouse::{Client, Compression};
use futures_util::future::try_join_all;
use indicatif::{MultiProgress, ProgressDrawTarget};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use verdict_baseline::schema;
use verdict_engines::{Choice, Engines, Options, cache_dir, host};
use verdict_seed::{RowFile, Scale, World, WorldSpec, load_rows, write_files};

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
    let scale = match std::env::var("VERDICT_SCALE") {
        Ok(name) => name.parse()?,
        Err(_) => Scale::Default,
    };
    let world = World::new(WorldSpec {
        scale,
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

async fn compare(world: &World, engines: &Engines, psql: &Path) -> Result<[Vec<Round>; 2]> {
    let threads = std::thread::available_parallelism()?.get();
    let hidden = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    let files = write_files(world, folder.path(), threads).await?;
    let rows = files.iter().map(|file| file.rows).sum();
    println!(
        "{rows} rows made and written into files in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let (postgres, clickhouse) = databases(engines, "loaded").await?;
        let started = Instant::now();
        let loads = load_rows(world, &postgres, &clickhouse, threads, &hidden).await?;
        let time = started.elapsed();
        ensure!(rows == loads.iter().map(|load| load.rows).sum::<u64>());
        rounds[0].push(Round { rows, time });
        drop_databases(engines, "loaded").await?;

        let target = databases(engines, "raw").await?;
        let time = raw(psql, &target, &files, threads).await?;
        rounds[1].push(Round { rows, time });
        drop_databases(engines, "raw").await?;
        let [verdict, others] = [&rounds[0], &rounds[1]].map(|side| side[side.len() - 1].time);
        println!(
            "{:.1} s by Verdict, {:.1} s by the others",
            verdict.as_secs_f64(),
            others.as_secs_f64()
        );
    }
    Ok(rounds)
}

/// Empty databases, in the place of earlier ones.
async fn databases(engines: &Engines, name: &str) -> Result<(PgConnectOptions, Client)> {
    drop_databases(engines, name).await?;
    let name = format!("bench_{name}");
    let create = format!("CREATE DATABASE {name}");
    let mut connection = PgConnection::connect_with(&engines.postgres("postgres")).await?;
    connection.execute(AssertSqlSafe(create.clone())).await?;
    connection.execute("CHECKPOINT").await?;
    connection.close().await?;
    engines
        .clickhouse("default")
        .query(&create)
        .execute()
        .await?;
    let clickhouse = engines
        .clickhouse(&name)
        .with_compression(Compression::None);
    Ok((engines.postgres(&name), clickhouse))
}

async fn drop_databases(engines: &Engines, name: &str) -> Result<()> {
    let drop = format!("DROP DATABASE IF EXISTS bench_{name}");
    let mut connection = PgConnection::connect_with(&engines.postgres("postgres")).await?;
    connection.execute(AssertSqlSafe(drop.clone())).await?;
    connection.close().await?;
    let drop = format!("{drop} SYNC");
    Ok(engines.clickhouse("default").query(&drop).execute().await?)
}

/// The files through psql and INSERT, so many tables at once, the largest first.
async fn raw(
    psql: &Path,
    (postgres, clickhouse): &(PgConnectOptions, Client),
    files: &[RowFile],
    at_once: usize,
) -> Result<Duration> {
    for statement in schema::statements(schema::CLICKHOUSE) {
        clickhouse.query(statement).execute().await?;
    }
    let mut waiting: Vec<&RowFile> = files.iter().collect();
    waiting.sort_by_key(|file| std::cmp::Reverse(file.path.metadata().map_or(0, |m| m.len())));
    let waiting = Mutex::new(VecDeque::from(waiting));
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .pop_front()
    };
    let worker = async || {
        while let Some(file) = next() {
            if file.postgres {
                let status = copy_in(psql, postgres, file)?.status().await?;
                ensure!(status.success(), "psql refused to copy a file in");
            } else {
                insert(clickhouse, file).await?;
            }
        }
        Ok(())
    };
    let started = Instant::now();
    try_join_all((0..at_once).map(|_| worker())).await?;
    Ok(started.elapsed())
}

async fn insert(clickhouse: &Client, file: &RowFile) -> Result<()> {
    let RowFile { table, columns, .. } = file;
    let statement = format!("INSERT INTO {table} ({columns}) FORMAT RowBinary");
    let mut sink = clickhouse
        .insert_formatted_with(statement)
        .with_setting("optimize_on_insert", "0");
    let mut file = tokio::fs::File::open(&file.path).await?;
    loop {
        let mut bytes = bytes::BytesMut::with_capacity(1 << 20);
        while bytes.len() < 1 << 20 && file.read_buf(&mut bytes).await? > 0 {}
        if bytes.is_empty() {
            return Ok(sink.end().await?);
        }
        sink.send(bytes.freeze()).await?;
    }
}

fn copy_in(psql: &Path, target: &PgConnectOptions, file: &RowFile) -> Result<Command> {
    let table = file.table;
    let create = schema::statements(schema::TABLES)
        .find(|statement| statement.contains(&format!("CREATE TABLE {table} (")))
        .context("a table of the schema")?;
    let copy = format!(
        "\\copy {table} ({}) from '{}' (format binary, freeze)",
        file.columns,
        file.path.display()
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

fn report(rounds: [Vec<Round>; 2]) {
    let [verdict, others] = rounds.map(|rounds| {
        let rates = rounds.iter().map(|r| r.rows as f64 / r.time.as_secs_f64());
        let mut rates: Vec<_> = rates.collect();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    println!("rows made and loaded by Verdict         {verdict:>10.0} rows/s");
    println!("COPY by psql and INSERT, ready in files {others:>10.0} rows/s");
    println!(
        "Verdict reaches {:.0} % of them (medians of {ROUNDS})",
        verdict / others * 100.0,
    );
}
