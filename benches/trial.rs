//! The main job: every item under criterion, then the report. Criterion's own command line
//! works; a filter chooses items by the names of their benches (`cargo bench -- message-send`).
//! VERDICT_SCALE, VERDICT_SEED and VERDICT_ENGINES choose the world and the engines.

use std::path::PathBuf;
use std::process::ExitCode;

use criterion::Criterion;
use verdict::budget::criterion;
use verdict::cli::WorldArgs;
use verdict::filter::Filter;
use verdict::on_trial::{items, wanted};
use verdict::progress::Display;
use verdict::run::{Request, run};
use verdict::{exit, file_limit, finish, paths, streams};
use verdict_scenarios::session::Depth;
use verdict_scenarios::timing::bench_names;
use verdict_seed::World;

fn main() -> ExitCode {
    file_limit::raise();
    streams::guard();
    let criterion = criterion(Depth::Full).configure_from_args();
    match bench(criterion) {
        Ok(code) => code,
        Err(error) => exit::failure(&error),
    }
}

fn bench(mut criterion: Criterion) -> verdict::error::Result<ExitCode> {
    let filter = Filter::parse(std::env::args().skip(1))?;
    let mut request = Request {
        items: items(&[])?,
        depth: Depth::Full,
        timed: true,
        loaded: filter.measures(),
        world: WorldArgs::of_environment(&[])?,
        host: PathBuf::from(env!("CARGO_BIN_EXE_verdict")),
        unfinished: None,
    };
    let world = World::new(request.world.spec());
    if filter.lists() {
        for on_trial in &request.items {
            for name in bench_names(on_trial.item, &world)? {
                criterion.bench_function(&name, |_| {});
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    request.items = wanted(request.items, &world, &filter)?;
    let output = paths::prepare()?;
    let display = Display::new();
    let mut results = run(
        &request,
        &mut criterion,
        &|name| filter.wants(name),
        &display,
    )?;
    criterion.final_summary();
    results.run.warnings.extend(display.finish());
    if !filter.measures() {
        return Ok(ExitCode::SUCCESS);
    }
    finish::finish(&results, &output, None)
}
