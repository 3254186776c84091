//! `verdict seed`: the world, built or found again.

use std::process::ExitCode;
use std::time::Instant;

use tokio::runtime::Runtime;
use verdict_seed::World;

use crate::cli::WorldArgs;
use crate::progress::Display;
use crate::world;

pub(super) fn run(args: &WorldArgs) -> crate::error::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let display = Display::new();
    let started = Instant::now();
    let world = World::new(args.spec());
    let options = world::options(&args.scale.engines, std::env::current_exe()?, &display)?;
    let engines = runtime.block_on(world::open(&options, &world, &display))?;
    let mode = engines.mode();
    runtime.block_on(engines.stop(Ok(())))?;
    display.finish();
    println!(
        "world {} is there for {mode} engines, ready in {:.1} s",
        world.spec().key(),
        started.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}
