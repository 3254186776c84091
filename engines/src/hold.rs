//! A command for tests: starts engines, says which, and holds them until it is ended.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{Choice, Engines, Error, Options, cache_dir};

/// Starts engines as VERDICT_ENGINES says (default: embedded), with a tiny world if a key for
/// one is given, and with a side for each further word; prints the run's id and `built` or
/// `found`, and waits.
pub(crate) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let key = args.next().and_then(|key| key.into_string().ok());
    let work = async {
        let choice =
            std::env::var("VERDICT_ENGINES").map_or(Ok(Choice::Embedded), |word| word.parse())?;
        let host = std::env::current_exe().map_err(Error::io("finding", "the verdict program"))?;
        let options = Options {
            choice,
            cache: cache_dir()?,
            host,
            progress: indicatif::MultiProgress::new(),
        };
        let mut word = "found";
        let engines = match key {
            None => Engines::start(&options).await?,
            Some(key) => {
                Engines::with_world(&options, &key, async |engines: &Engines| {
                    word = "built";
                    build(engines).await
                })
                .await?
            }
        };
        for role in args {
            engines.sandbox(&role.to_string_lossy()).await?;
        }
        println!("{} {word}", engines.run_id());
        std::future::pending::<Result<(), Error>>().await
    };
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io("making", "a runtime"))
        .and_then(|runtime| runtime.block_on(work));
    if let Err(error) = result {
        eprintln!("verdict: failed to hold engines: {error}");
    }
    ExitCode::FAILURE
}

async fn build(engines: &Engines) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
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
}
