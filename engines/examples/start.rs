//! Starts three engines with a tiny world, shows what they are, and stops them.

use std::process::ExitCode;
use std::time::Instant;

use verdict_engines::{Choice, Engines, Options, cache_dir, host};

fn main() -> ExitCode {
    // The program that starts engines also hosts the processes that own them.
    if let Some(code) = host::dispatch(std::env::args_os()) {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to show engines: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options {
        choice: std::env::args()
            .nth(1)
            .map_or(Ok(Choice::Auto), |word| word.parse())?,
        cache: cache_dir()?,
        host: std::env::current_exe()?,
        progress: indicatif::MultiProgress::new(),
    };
    let began = Instant::now();
    let engines = Engines::with_world(&options, "example", async |engines: &Engines| {
        let pool = sqlx::PgPool::connect_with(engines.postgres(engines.world())).await?;
        sqlx::raw_sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
            .execute(&pool)
            .await?;
        pool.close().await;
        let client = engines.clickhouse(engines.world());
        client
            .query("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
            .execute()
            .await?;
        client
            .query("INSERT INTO t SELECT number FROM numbers(1000)")
            .execute()
            .await?;
        Ok(())
    })
    .await?;
    println!(
        "{} engines answered after {:.2} s",
        engines.mode(),
        began.elapsed().as_secs_f64()
    );
    for engine in engines.info().await? {
        println!("{} {}", engine.name, engine.version);
        for (name, value) in engine.settings {
            println!("    {name} = {value}");
        }
    }
    let began = Instant::now();
    let side = engines.sandbox("example").await?;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM t")
        .fetch_one(&sqlx::PgPool::connect_with(side.endpoints().postgres.clone()).await?)
        .await?;
    let events: u64 = side
        .endpoints()
        .clickhouse
        .query("SELECT count() FROM t")
        .fetch_one()
        .await?;
    println!(
        "{}: {rows} rows, ClickHouse: {events} rows, {:.2} s",
        side.database(),
        began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    engines.stop().await?;
    println!("stopped after {:.2} s", began.elapsed().as_secs_f64());
    Ok(())
}
