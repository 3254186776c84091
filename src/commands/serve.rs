//! `verdict serve`: both sides over HTTP until Ctrl-C.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use verdict_engines::Engines;
use verdict_seed::World;
use verdict_service::{keep_fresh, serve};

use crate::cli::ServeArgs;
use crate::error::Error;
use crate::load::{drop_sides, sides};
use crate::progress::Display;
use crate::world;

pub(super) fn run(args: &ServeArgs) -> crate::error::Result<ExitCode> {
    let runtime = Runtime::new()?;
    runtime
        .block_on(async {
            // First, because an address that is taken is known at once.
            let listener =
                TcpListener::bind(args.listen)
                    .await
                    .map_err(|source| Error::Listen {
                        address: args.listen,
                        source,
                    })?;
            let display = Display::new();
            let world = World::new(args.world.spec());
            let options = world::options(&args.world.engines, std::env::current_exe()?, &display)?;
            let engines = world::open(&options, &world, &display).await?;
            let served = until_interrupted(&engines, listener, display).await;
            engines.stop(served).await
        })
        .map(|()| ExitCode::SUCCESS)
}

async fn until_interrupted(
    engines: &Engines,
    listener: TcpListener,
    display: Display,
) -> crate::error::Result<()> {
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
    let refreshed = keep_fresh(&sides.optimized);
    tokio::select! {
        served = serve(listener, sides, Box::pin(shutdown)) => served?,
        () = refreshed => {}
    }
    drop_sides(engines).await
}
