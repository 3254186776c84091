//! The main job: engines, world, trials, results, report. `verdict run` and `cargo bench` differ
//! only in who configures criterion.

use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use criterion::Criterion;
use tokio::runtime::Runtime;
use verdict_audit::evidence::{Results, Run, SCHEMA};
use verdict_audit::{Catalogue, ItemId, Warning, judge_self, line};
use verdict_engines::Engines;
use verdict_load::{LoadOutcome, LoadPlan};
use verdict_scenarios::court::{Clockwork, Court};
use verdict_scenarios::docket;
use verdict_scenarios::session::{Depth, Session};
use verdict_seed::World;

use crate::cli::WorldArgs;
use crate::estimate::{estimate, side};
use crate::on_trial::OnTrial;
use crate::progress::Display;
use crate::unfinished::Unfinished;
use crate::{budget, facts, file_limit, load, paths, world};

/// What to try, and how thoroughly.
#[derive(Debug, Clone)]
pub struct Request {
    /// The items, in the audit's order.
    pub items: Vec<OnTrial>,
    /// How thoroughly.
    pub depth: Depth,
    /// Whether anything is timed; else answers and work are all.
    pub timed: bool,
    /// Whether the flows that do the items' work are put under load as well.
    pub loaded: bool,
    /// On which world.
    pub world: WorldArgs,
    /// The `verdict` program, which hosts the engines.
    pub host: PathBuf,
    /// Where each item is kept as soon as it is whole; nowhere where criterion's filter may have
    /// left parts of it out.
    pub unfinished: Option<Unfinished>,
}

impl Request {
    /// The items that no earlier start of the run has brought to an end.
    fn left(&self) -> &[OnTrial] {
        let unfinished = self.unfinished.as_ref();
        let done = unfinished.map_or(0, |unfinished| unfinished.items().len());
        self.items.get(done..).unwrap_or_default()
    }

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
        (self.timed && self.loaded && !plan.flows.is_empty()).then_some(plan)
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
    let mut expected = estimate(request.left(), world, request.depth)?;
    if !request.timed {
        (expected.ratios, expected.times) = (0, Duration::ZERO);
    }
    let load = request.load();
    if let Some(plan) = &load {
        expected.load = plan.expected();
        expected.changes += side(world);
    }
    display.announce(&format!(
        "{} items, {} ratios of time, {} flows under load: {expected}; and as long as the world \
         takes where it is not kept yet",
        request.left().len(),
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
    let unfinished = request.unfinished.as_ref();
    let earlier = match unfinished {
        Some(unfinished) => unfinished.run(&run)?,
        None => None,
    };
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
    // Judged with all of the run at its end.
    if let Some(earlier) = earlier {
        run.time = earlier.time;
        run.aa = earlier.aa.clone();
        run.warnings.clone_from(&earlier.warnings);
        run.warnings
            .retain(|warning| !matches!(warning, Warning::Resumed { .. }));
        run.warnings.push(Warning::Resumed {
            began: earlier.time,
            items: request.items.len() - request.left().len(),
        });
    } else if request.timed {
        run.aa = court.self_check(own)?.and_then(|cell| judge_self(cell, 1));
    }
    let mut clockwork = Clockwork {
        criterion,
        selected,
        timed: request.timed,
    };
    let mut items = unfinished.map_or_else(Vec::new, |unfinished| unfinished.items().to_vec());
    for OnTrial { audit, item } in request.left() {
        items.push(court.hear(*item, audit, Some(&mut clockwork))?);
        if let Some(unfinished) = unfinished {
            let mut so_far = run.clone();
            so_far.warnings.extend(display.warnings());
            unfinished.keep(&so_far, &items)?;
        }
    }
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
    results.run.warnings.extend(line::parted(&results));
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
