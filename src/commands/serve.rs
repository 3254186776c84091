//! `verdict serve`: both sides over HTTP until Ctrl-C.

use std::process::ExitCode;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use verdict_engines::Engines;
use verdict_scenarios::service::serve;
use verdict_seed::World;

use crate::cli::ServeArgs;
use crate::load::{drop_sides, sides};
use crate::progress::Display;
use crate::world;

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    runtime
        .block_on(async {
            // First, because an address that is taken is known at once.
            let listener = TcpListener::bind(args.listen)
                .await
                .with_context(|| format!("listen on {}: choose another --listen", args.listen))?;
            let display = Display::new();
            let world = World::new(args.world.spec());
            let options = world::options(&args.world.engines, std::env::current_exe()?, &display)?;
            let engines = world::open(&options, &world, &display).await?;
            let served = until_interrupted(&engines, listener, display).await;
            let stopped = engines.stop().await;
            served?;
            stopped
        })
        .map(|()| ExitCode::SUCCESS)
}

async fn until_interrupted(
    engines: &Engines,
    listener: TcpListener,
    display: Display,
) -> anyhow::Result<()> {
    display.say("cloning the world for the service");
    let sides = sides(engines).await?;
    display.finish();
    println!("serving on http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve(listener, sides, shutdown).await?;
    drop_sides(engines).await
}
