//! The figures themselves on trial: today against itself, known slowdowns, and what calls save
//! by other clocks. Writes `target/verdict/honesty.json`, prints a table, and ends with 1 when a
//! bar is missed; up to two hours. `cargo bench --bench honesty`, with `-- aa`, `-- power` or
//! `-- saved` for a part of it, which is held to its own bars (`power` has none); none is held with
//! `-- --short`, a try-out (on a smoke world unless VERDICT_SCALE says otherwise). VERDICT_SCALE, VERDICT_SEED and
//! VERDICT_ENGINES choose the world and the engines.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use criterion::Criterion;
use tokio::runtime::Runtime;
use verdict::budget::criterion;
use verdict::cli::WorldArgs;
use verdict::error::Result;
use verdict::on_trial::known;
use verdict::progress::Display;
use verdict::{exit, paths, world};
use verdict_audit::Exit;
use verdict_engines::Options;
use verdict_engines::pgbench::Pgbench;
use verdict_honesty::itself::{self, Asked, Cell};
use verdict_honesty::power::{power, slowable};
use verdict_honesty::report::Aa;
use verdict_honesty::saved::saved;
use verdict_honesty::{Honesty, Plan};
use verdict_scenarios::court::Court;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::session::{Depth, Session};
use verdict_seed::World;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let short = arguments.iter().any(|word| word == "--short");
    // Cargo adds --bench.
    let parts = arguments.iter().filter(|word| !word.starts_with('-'));
    let parts: Vec<&str> = parts.map(String::as_str).collect();
    let plan = if short { Plan::SHORT } else { Plan::WHOLE };
    match bench(&plan, short, &parts) {
        Ok(honesty) => {
            print!("\n{honesty}");
            let missed = match short {
                true => Vec::new(),
                false => honesty.missed(|part| parts.is_empty() || parts.contains(&part)),
            };
            missed.iter().for_each(|bar| println!("missed: {bar}"));
            exit::code(match missed[..] {
                [] => Exit::Met,
                _ => Exit::Missed,
            })
        }
        Err(error) => exit::failure(&error),
    }
}

fn bench(plan: &Plan, short: bool, parts: &[&str]) -> Result<Honesty> {
    known(parts, &["aa", "power", "saved"], |name, word| name == word)?;
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    let output = paths::prepare()?;
    let flags: &[&str] = match std::env::var_os("VERDICT_SCALE") {
        None if short => &["--scale", "smoke"],
        _ => &[],
    };
    let asked = WorldArgs::of_environment(flags)?;
    let runtime = Runtime::new()?;
    let world = World::new(asked.spec());
    let display = Display::new();
    let host = PathBuf::from(env!("CARGO_BIN_EXE_verdict"));
    let options = world::options(&asked.scale.engines, host, &display)?;
    // Before anything long begins: it may not be to be had.
    let pgbench = Pgbench::new(&options)?;
    let ready = Ready {
        plan,
        short,
        runtime: &runtime,
        options: &options,
        world: &world,
        display: &display,
    };
    let mut runs = Vec::new();
    for start in 0..if wanted("aa") { plan.starts } else { 0 } {
        ready.with_court(|court| ready.against_itself(court, start, &mut runs))?;
    }
    let mut honesty = Honesty {
        aa: Aa::of(&runs),
        ..Honesty::default()
    };
    // What is known already is kept whatever becomes of the rest.
    let file = output.join("honesty.json");
    std::fs::write(&file, honesty.json())?;
    if wanted("power") {
        ready.with_court(|court| ready.slowed(court, &mut honesty))?;
        std::fs::write(&file, honesty.json())?;
    }
    if wanted("saved") {
        ready.with_court(|court| {
            honesty.calls = saved(court, &pgbench, plan)?;
            Ok(())
        })?;
        std::fs::write(&file, honesty.json())?;
    }
    display.finish();
    Ok(honesty)
}

/// Of how many starts, and of how many runs on each, the parts of the world in ClickHouse are: a
/// call of theirs takes a hundred times as long as others.
const EVENT_STARTS: usize = 2;
const EVENT_RUNS: usize = 2;

/// Everything that a start of the engines needs.
struct Ready<'a> {
    plan: &'a Plan,
    short: bool,
    runtime: &'a Runtime,
    options: &'a Options,
    world: &'a World,
    display: &'a Display,
}

impl Ready<'_> {
    /// Starts engines, holds a court on them, and puts them away whatever came of it.
    fn with_court(&self, hold: impl FnOnce(&Court<'_>) -> Result<()>) -> Result<()> {
        let Self {
            runtime,
            world,
            display,
            ..
        } = *self;
        let engines = runtime.block_on(world::open(self.options, world, display))?;
        let session = runtime.block_on(Session::open(&engines, world, Depth::Quick));
        let held = session.map_err(Into::into).and_then(|session| {
            let held = hold(&Court {
                runtime,
                session: &session,
                items: ITEMS,
                watcher: display,
            });
            held.and(Ok(runtime.block_on(session.close())?))
        });
        runtime.block_on(engines.stop(held))
    }

    /// Whole runs on one start, every other one beside a busy core.
    fn against_itself(
        &self,
        court: &Court<'_>,
        start: usize,
        runs: &mut Vec<Vec<Cell>>,
    ) -> Result<()> {
        self.runtime.block_on(court.session.cut())?;
        for run in 0..self.plan.runs {
            let of = Asked {
                busy: run % 2 == 1,
                events: start < EVENT_STARTS && run < EVENT_RUNS,
            };
            let cells = itself::run(court, &mut self.clock(Depth::Quick), of)?;
            runs.push(cells);
        }
        Ok(())
    }

    fn slowed(&self, court: &Court<'_>, honesty: &mut Honesty) -> Result<()> {
        let mut calls = slowable(court, &mut self.clock(Depth::Quick))?;
        for (slowdown, depth, name) in [(0.05, Depth::Full, "full"), (0.10, Depth::Quick, "quick")]
        {
            let clock = (&mut self.clock(depth), name);
            let found = power(court, clock, &mut calls, slowdown, self.plan.tries)?;
            honesty.power.push(found);
        }
        Ok(())
    }

    /// A trial's clock; one that has little time in a try-out.
    fn clock(&self, depth: Depth) -> Criterion {
        let clock = criterion(depth).output_directory(&paths::criterion(&paths::output()));
        match self.short {
            false => clock,
            true => clock
                .measurement_time(Duration::from_millis(200))
                .sample_size(10),
        }
    }
}
