//! The flows under load, on a service of our own beside the engines.

use std::path::Path;

use anyhow::Context;
use sqlx::PgPool;
use verdict_engines::Engines;
use verdict_scenarios::load::{LoadOutcome, LoadPlan, Pools, Target, run};
use verdict_scenarios::service::{ServiceProcess, Sides, migrate_all};
use verdict_seed::World;

use crate::progress::Display;

/// The clone that stays as today.
const BASELINE: &str = "baseline";
/// The clone with every fix.
const OPTIMIZED: &str = "optimized";

/// Makes both sides of the service: a clone as it is today, and one with every fix.
///
/// # Errors
/// When a clone cannot be made or migrated.
pub async fn sides(engines: &Engines) -> anyhow::Result<Sides> {
    let baseline = engines.clone_world(BASELINE).await?;
    let optimized = engines.clone_world(OPTIMIZED).await?;
    let sides = Sides {
        baseline: engines.postgres(&baseline),
        optimized: engines.postgres(&optimized),
    };
    // Through a pool of its own: the plans of its connections are of the schema before.
    let pool = PgPool::connect_with(sides.optimized.clone())
        .await
        .context("connect to the optimized side")?;
    migrate_all(&pool).await?;
    pool.close().await;
    Ok(sides)
}

/// Drops what [`sides`] made.
///
/// # Errors
/// When PostgreSQL refuses.
pub async fn drop_sides(engines: &Engines) -> anyhow::Result<()> {
    engines.drop_clone(BASELINE).await?;
    engines.drop_clone(OPTIMIZED).await?;
    Ok(())
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
) -> anyhow::Result<LoadOutcome> {
    display.say("cloning the world for the service");
    let sides = sides(engines).await?;
    let pools = Pools {
        baseline: PgPool::connect_lazy_with(sides.baseline.clone()),
        optimized: PgPool::connect_lazy_with(sides.optimized.clone()),
    };
    let service = ServiceProcess::spawn(host, &sides)?;
    let target = Target {
        url: service.url().to_owned(),
    };
    let loaded = run(&target, world, plan, Some(&pools), display, artefacts).await;
    let stopped = service.stop();
    pools.baseline.close().await;
    pools.optimized.close().await;
    let loaded = loaded?;
    stopped?;
    drop_sides(engines).await?;
    Ok(loaded)
}
