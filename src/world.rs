//! Engines that hold the world that was asked for.

use std::ops::Deref;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::task::AbortHandle;
use verdict_audit::Exit;
use verdict_engines::{Engines, Options, cache_dir};
use verdict_seed::World;

use crate::cli::EnginesArgs;
use crate::progress::Display;

/// How to get engines; `host` is the `verdict` program.
pub fn options(
    engines: &EnginesArgs,
    host: std::path::PathBuf,
    display: &Display,
) -> crate::error::Result<Options> {
    Ok(Options {
        choice: engines.engines,
        cache: cache_dir()?,
        host,
        progress: display.bars().clone(),
    })
}

/// Engines that hold a world, watched for as long as they are held.
#[derive(Debug)]
pub struct Held {
    engines: Engines,
    watch: AbortHandle,
}

impl Held {
    /// Puts the engines away.
    ///
    /// # Errors
    /// When they cannot be stopped.
    pub async fn stop(self) -> crate::error::Result<()> {
        self.watch.abort();
        Ok(self.engines.stop().await?)
    }
}

impl Deref for Held {
    type Target = Engines;

    fn deref(&self) -> &Engines {
        &self.engines
    }
}

/// Starts engines that hold the world; builds it first when it is not there. A fresh world's
/// rows per second are printed.
///
/// # Errors
/// When engines cannot be had, or the world cannot be built.
pub async fn open(
    options: &Options,
    world: &World,
    display: &Display,
) -> crate::error::Result<Held> {
    let bars = display.bars().clone();
    let key = world.spec().key();
    display.say("starting engines");
    let engines = Engines::with_world(options, &key, async |engines| {
        display.say("building the world");
        let loaded = verdict_seed::load(world, engines, &bars).await?;
        bars.suspend(|| eprintln!("{loaded}"));
        display.say("putting the world away for later runs");
        Ok(())
    })
    .await?;
    let watch = tokio::spawn(watch(engines.postgres("postgres"))).abort_handle();
    Ok(Held { engines, watch })
}

/// Ends the process when PostgreSQL does. Without it every further call would wait out its
/// time for a connection, for hours in all; what was started ends with the process.
async fn watch(options: PgConnectOptions) {
    let mut connection = None;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let alive = match &mut connection {
            Some(open) => PgConnection::ping(open).await,
            None => PgConnection::connect_with(&options)
                .await
                .map(|open| connection = Some(open)),
        };
        // A connection that was cut is tried once more before the engine is given up.
        if let Err(error) = alive
            && connection.take().is_none()
        {
            eprintln!(
                "verdict: PostgreSQL is gone in the middle of the run ({error}); nothing was \
                 written, and earlier results stand: run again"
            );
            std::process::exit(Exit::Unavailable.code().into());
        }
    }
}
