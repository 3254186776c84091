//! `verdict load`: the flows under load.

use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use tokio::runtime::Runtime;
use verdict_audit::evidence::{Results, Run, SCHEMA};
use verdict_load::{LoadOutcome, LoadPlan, ServiceUrl, run as drive};
use verdict_seed::{Scale, World};

use crate::cli::LoadArgs;
use crate::progress::Display;
use crate::run::describe;
use crate::{facts, file_limit, finish, load, paths, world};

pub(super) fn run(mut args: LoadArgs) -> crate::error::Result<ExitCode> {
    // A service elsewhere has the world that it has.
    if args.quick && args.target.is_none() {
        args.world = args.world.or(Scale::Quick);
    }
    let mut plan = plan(&args);
    plan.check()?;
    file_limit::suffices(plan.most_at_once())?;
    plan.at_once = file_limit::most();
    let output = paths::prepare_for(args.output.as_deref())?;
    let display = Display::new();
    let runtime = Runtime::new()?;
    let world = World::new(args.world.spec());
    let (mut run, loaded) = match &args.target {
        Some(url) => elsewhere(url, &world, &plan, &display, &output, &runtime)?,
        None => here(&args, &world, &plan, &display, &output, &runtime)?,
    };
    run.warnings = display.finish();
    let results = Results {
        schema: SCHEMA,
        run,
        items: Vec::new(),
        flows: loaded.flows,
        flow_ratios: loaded.flow_ratios,
        targets: loaded.targets,
        capacity: loaded.capacity,
    };
    finish::finish(&results, &output, args.output.as_deref())
}

fn plan(args: &LoadArgs) -> LoadPlan {
    let mut plan = if args.quick {
        LoadPlan::short()
    } else {
        LoadPlan::full()
    };
    plan.seed = args.world.seed;
    if !args.flows.is_empty() {
        plan.flows.clone_from(&args.flows);
    }
    // Naming one kind of load asks for that kind only.
    if !args.users.is_empty() || !args.rate.is_empty() {
        plan.users.clone_from(&args.users);
        plan.rates.clone_from(&args.rate);
        plan.shares.clear();
        plan.climb.clear();
    }
    if let Some(seconds) = args.duration {
        let windows = seconds as f64 / plan.window.as_secs_f64();
        plan.windows = (windows.ceil() as usize).max(1);
        plan.judged_windows = plan.windows;
    }
    plan
}

/// A service that somebody else started, on the same world.
fn elsewhere(
    url: &str,
    world: &World,
    plan: &LoadPlan,
    display: &Display,
    output: &Path,
    runtime: &Runtime,
) -> crate::error::Result<(Run, LoadOutcome)> {
    let service = ServiceUrl::parse(url)?;
    let time = Utc::now();
    let run = Run {
        // Generators of a fleet may start in the same second, with the same process number.
        id: format!(
            "{}-{:08x}",
            time.format("%Y%m%dT%H%M%S"),
            rand::random::<u32>()
        ),
        time,
        commit: facts::commit(),
        host: facts::host(),
        engines: Vec::new(),
        scale: world.spec().scale.to_string(),
        seed: world.spec().seed,
        sizes: world.census(),
        aa: None,
        warnings: Vec::new(),
    };
    let goose = paths::goose(output, &run.id);
    load::say(plan, display);
    let loaded = runtime.block_on(drive(&service, world, plan, None, display, &goose))?;
    Ok((run, loaded))
}

/// A service of our own on engines of our own.
fn here(
    args: &LoadArgs,
    world: &World,
    plan: &LoadPlan,
    display: &Display,
    output: &Path,
    runtime: &Runtime,
) -> crate::error::Result<(Run, LoadOutcome)> {
    let host = std::env::current_exe()?;
    let options = world::options(&args.world.engines, host.clone(), display)?;
    let engines = runtime.block_on(world::open(&options, world, display))?;
    let loaded = describe(&engines, world, runtime).and_then(|run| {
        let goose = paths::goose(output, &run.id);
        let loaded = load::ours(&engines, world, plan, &host, display, &goose);
        Ok((run, runtime.block_on(loaded)?))
    });
    runtime.block_on(engines.stop(loaded))
}
