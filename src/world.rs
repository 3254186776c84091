//! Engines that hold the world that was asked for.

use anyhow::Context;
use verdict_engines::{Engines, Options, cache_dir};
use verdict_seed::World;

use crate::cli::EnginesArgs;
use crate::progress::Display;

/// How to get engines; `host` is the `verdict` program.
pub fn options(
    engines: &EnginesArgs,
    host: std::path::PathBuf,
    display: &Display,
) -> anyhow::Result<Options> {
    Ok(Options {
        choice: engines.engines,
        cache: cache_dir()?,
        host,
        progress: display.bars().clone(),
    })
}

/// Starts engines that hold the world; builds it first when it is not there. A fresh world's
/// rows per second are printed.
pub async fn open(options: &Options, world: &World, display: &Display) -> anyhow::Result<Engines> {
    let bars = display.bars().clone();
    let key = world.spec().key();
    display.say("starting engines");
    Engines::with_world(options, &key, async |engines| {
        display.say("building the world");
        let loaded = verdict_seed::load(world, engines, &bars).await?;
        bars.suspend(|| eprintln!("{loaded}"));
        display.say("putting the world away for later runs");
        Ok(())
    })
    .await
    .context("get engines that hold the world")
}
