//! Engines that hold the world that was asked for.

use std::ops::Deref;

use indicatif::MultiProgress;
use tokio::task::AbortHandle;
use verdict_audit::Exit;
use verdict_engines::{Engines, Options, Vigil, cache_dir};
use verdict_seed::World;

use crate::cli::EnginesArgs;
use crate::error::Error;
use crate::exit;
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
    /// Puts the engines away, whatever was done with them, and answers what that came to. Where
    /// an engine has died, that is the error, and nothing that was done counts.
    ///
    /// # Errors
    /// That of what was done, or that the engines cannot be stopped.
    pub async fn stop<T>(self, done: crate::error::Result<T>) -> crate::error::Result<T> {
        self.watch.abort();
        let death = match &done {
            Err(error) if error.exit() == Exit::Interrupted => None,
            _ => self.engines.vigil().death().await,
        };
        let stopped = self.engines.stop().await;
        if let Some(death) = death {
            return Err(Error::Dead(death));
        }
        let done = done?;
        stopped?;
        Ok(done)
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
    let watch = tokio::spawn(watch(engines.vigil(), display.bars().clone())).abort_handle();
    Ok(Held { engines, watch })
}

/// Ends the process when an engine does. Without it every further call would wait out its time
/// for a connection, for hours in all; what was started ends with the process.
async fn watch(vigil: Vigil, bars: MultiProgress) {
    let death = vigil.until_death(&bars).await;
    // What is left is swept at the next start.
    let _ = vigil.put_away().await;
    let error = Error::Dead(death);
    let code = error.exit().code();
    exit::failure(&error);
    std::process::exit(code.into());
}
