//! The flows under load, on a service of our own beside the engines.

use std::path::Path;

use verdict_engines::{Engines, Sandbox};
use verdict_load::{Databases, LoadOutcome, LoadPlan, ServiceUrl, interrupt, interrupted, run};
use verdict_seed::World;
use verdict_service::{ServiceProcess, Sides, give_ground, migrate_all};
use verdict_store::{Connect, Store};

use crate::error::{Error, Result};
use crate::progress::Display;

/// The side that stays as today.
const BASELINE: &str = "baseline";
/// The side with every fix.
const OPTIMIZED: &str = "optimized";

/// Makes both sides of the service: one as it is today, and one with every fix.
///
/// # Errors
/// When a side cannot be made or migrated.
pub async fn sides(engines: &Engines) -> Result<Sides> {
    let baseline = engines.sandbox(BASELINE).await?;
    let optimized = engines.sandbox(OPTIMIZED).await?;
    // Through stores of their own: the plans of their connections are of the schema before.
    let store = connect(&baseline).await?;
    let grounded = give_ground(&store).await;
    store.close().await;
    grounded?;
    let store = connect(&optimized).await?;
    let migrated = migrate_all(&store).await;
    store.close().await;
    migrated?;
    Ok(Sides {
        baseline: baseline.endpoints().into(),
        optimized: optimized.endpoints().into(),
    })
}

async fn connect(sandbox: &Sandbox) -> Result<Store> {
    let endpoints = sandbox.endpoints();
    Ok(Store::connect(
        &endpoints.postgres,
        &endpoints.clickhouse,
        &endpoints.redis,
        &Connect::default(),
    )
    .await?)
}

/// Drops what [`sides`] made.
///
/// # Errors
/// When an engine refuses.
pub async fn drop_sides(engines: &Engines) -> Result<()> {
    engines.drop_sandbox(BASELINE).await?;
    engines.drop_sandbox(OPTIMIZED).await?;
    Ok(())
}

/// Says what is put under load, and how long it takes.
pub fn say(plan: &LoadPlan, display: &Display) {
    let flows: Vec<String> = plan.flows.iter().map(ToString::to_string).collect();
    display.say(format!(
        "loading {}: about {} s",
        flows.join(", "),
        plan.expected().as_secs()
    ));
}

/// Puts a service of our own, in a process of its own, under load.
///
/// # Errors
/// When the service cannot be had, or a flow cannot be measured.
pub async fn ours(
    engines: &Engines,
    world: &World,
    plan: &LoadPlan,
    host: &Path,
    display: &Display,
    artefacts: &Path,
) -> Result<LoadOutcome> {
    display.say("cloning the world for the service");
    let sides = sides(engines).await?;
    let databases = Databases::of_service(&sides)?;
    let mut service = ServiceProcess::spawn(host, &sides)?;
    let url = ServiceUrl::new(service.url());
    say(plan, display);
    let loaded = {
        let mut load = run(&url, world, plan, Some(&databases), display, artefacts);
        tokio::select! {
            loaded = &mut load => loaded.map_err(Error::from),
            death = service.death() => {
                // Ctrl-C in a terminal reaches the service as well, and is no death of its own.
                let stopped = interrupted();
                interrupt("the service is gone");
                let loaded = load.await;
                if stopped { loaded.map_err(Error::from) } else { Err(death.into()) }
            }
        }
    };
    let stopped = service.stop();
    databases.baseline.close().await;
    databases.optimized.close().await;
    let loaded = loaded?;
    stopped?;
    drop_sides(engines).await?;
    Ok(loaded)
}
