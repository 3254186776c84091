//! Loads a world into engines of its own and says how fast.
//!
//! `cargo run --release -p verdict-seed --example load -- default 1`

use std::process::ExitCode;

use indicatif::MultiProgress;
use verdict_engines::{Choice, Engines, Options, cache_dir, host};
use verdict_seed::{World, WorldSpec, load};

fn main() -> ExitCode {
    if let Some(code) = host::dispatch(std::env::args_os()) {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let scale = args.next().unwrap_or("smoke".to_owned()).parse()?;
    let seed = args.next().unwrap_or("1".to_owned()).parse()?;
    let world = World::new(WorldSpec {
        scale,
        users: None,
        days: None,
        seed,
    });
    let progress = MultiProgress::new();
    let options = Options {
        choice: Choice::Auto,
        cache: cache_dir()?,
        host: std::env::current_exe()?,
        progress: progress.clone(),
    };
    // A world that is there already is found again and not loaded.
    let engines = Engines::with_world(&options, &world.spec().key(), async |engines| {
        let loaded = load(&world, engines, &progress).await?;
        println!("{loaded}");
        Ok(())
    })
    .await?;
    println!("the world is ready in `{}`", engines.world());
    engines.stop().await?;
    Ok(())
}
