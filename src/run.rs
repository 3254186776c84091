//! The main job: engines, world, trials, results, report. `verdict run` and `cargo bench` differ
//! only in who configures criterion.

use std::path::PathBuf;

use chrono::Utc;
use criterion::Criterion;
use tokio::runtime::Runtime;
use verdict_audit::evidence::{ItemEvidence, Results, Run, SCHEMA};
use verdict_audit::{Catalogue, ItemId, judge_self};
use verdict_engines::Engines;
use verdict_load::{LoadOutcome, LoadPlan};
use verdict_scenarios::court::{Clockwork, Court};
use verdict_scenarios::docket;
use verdict_scenarios::session::{Depth, Session};
use verdict_seed::World;

use crate::cli::WorldArgs;
use crate::estimate::estimate;
use crate::on_trial::OnTrial;
use crate::progress::Display;
use crate::{budget, facts, file_limit, load, paths, world};

/// What to try, and how thoroughly.
#[derive(Debug, Clone)]
pub struct Request {
    /// The items, in the audit's order.
    pub items: Vec<OnTrial>,
    /// How thoroughly.
    pub depth: Depth,
    /// Whether the flows that do the items' work are put under load as well.
    pub loaded: bool,
    /// On which world.
    pub world: WorldArgs,
    /// The `verdict` program, which hosts the engines.
    pub host: PathBuf,
}

impl Request {
    /// What the load does: the flows that do the work of an item that is asked for; none where
    /// there is no load, or no such flow.
    fn load(&self) -> Option<LoadPlan> {
        let items: Vec<&ItemId> = self.items.iter().map(|one| &one.audit.id).collect();
        let mut plan = match self.depth {
            Depth::Full => LoadPlan::full(),
            Depth::Quick => LoadPlan::short(),
        };
        plan.at_once = file_limit::most();
        let plan = plan.only(&Catalogue::builtin().flows_of(&items));
        (self.loaded && !plan.flows.is_empty()).then_some(plan)
    }
}

/// Holds the trials and answers what was measured. Nothing is written yet.
///
/// # Errors
/// When engines cannot be had, or a trial cannot be held.
pub fn run(
    request: &Request,
    criterion: &mut Criterion,
    selected: &dyn Fn(&str) -> bool,
    display: &Display,
) -> crate::error::Result<Results> {
    docket::hold(Catalogue::builtin(), docket::ITEMS)?;
    if let Some(plan) = request.load() {
        file_limit::suffices(plan.most_at_once())?;
    }
    let runtime = Runtime::new()?;
    let world = World::new(request.world.spec());
    announce(request, &world, display)?;
    let options = world::options(&request.world.scale.engines, request.host.clone(), display)?;
    let engines = runtime.block_on(world::open(&options, &world, display))?;
    let tried = trials(
        request, &runtime, &engines, &world, criterion, selected, display,
    );
    runtime.block_on(engines.stop(tried))
}

/// Says how long the run will take, before anything is waited for.
fn announce(request: &Request, world: &World, display: &Display) -> crate::error::Result<()> {
    let mut expected = estimate(&request.items, world, request.depth)?;
    let load = request.load();
    expected.load = load.as_ref().map(LoadPlan::expected).unwrap_or_default();
    display.announce(&format!(
        "{} items, {} ratios of time, {} flows under load: {expected}; and as long as the world \
         takes where it is not kept yet",
        request.items.len(),
        expected.ratios,
        load.map_or(0, |plan| plan.flows.len()),
    ));
    Ok(())
}

fn trials(
    request: &Request,
    runtime: &Runtime,
    engines: &Engines,
    world: &World,
    criterion: &mut Criterion,
    selected: &dyn Fn(&str) -> bool,
    display: &Display,
) -> crate::error::Result<Results> {
    let mut run = describe(engines, world, runtime)?;
    display.say("cloning the world");
    let session = runtime.block_on(Session::open(engines, world, request.depth))?;
    let court = Court {
        runtime,
        session: &session,
        items: docket::ITEMS,
        watcher: display,
    };
    // With a criterion of its own, which no filter keeps from running.
    let own =
        &mut budget::criterion(request.depth).output_directory(&paths::criterion(&paths::output()));
    let itself = court.self_check(own)?;
    // Judged with all of the run at its end.
    run.aa = itself.and_then(|cell| judge_self(cell, 1));
    let mut clockwork = Clockwork {
        criterion,
        selected,
    };
    let items = request
        .items
        .iter()
        .map(|OnTrial { audit, item }| Ok(court.hear(*item, audit, Some(&mut clockwork))?))
        .collect::<crate::error::Result<Vec<ItemEvidence>>>()?;
    runtime.block_on(session.close())?;
    let loaded = match &request.load() {
        Some(plan) => {
            let goose = paths::goose(&paths::output(), &run.id);
            runtime.block_on(load::ours(
                engines,
                world,
                plan,
                &request.host,
                display,
                &goose,
            ))?
        }
        None => LoadOutcome::default(),
    };
    let mut results = Results {
        schema: SCHEMA,
        run,
        items,
        flows: loaded.flows,
        flow_ratios: loaded.flow_ratios,
        targets: loaded.targets,
        capacity: loaded.capacity,
    };
    results.raise_floors();
    results.judge();
    Ok(results)
}

/// Where, when and on what.
pub fn describe(engines: &Engines, world: &World, runtime: &Runtime) -> crate::error::Result<Run> {
    Ok(Run {
        id: engines.run_id().to_owned(),
        time: Utc::now(),
        commit: facts::commit(),
        host: facts::host(),
        engines: runtime.block_on(engines.info())?,
        scale: world.spec().scale.to_string(),
        seed: world.spec().seed,
        sizes: world.census(),
        aa: None,
        warnings: Vec::new(),
    })
}
