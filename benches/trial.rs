//! The main job: every item under criterion, then the report. Criterion's own command line
//! works; a filter chooses items by the names of their benches (`cargo bench -- message-send`).
//! VERDICT_SCALE, VERDICT_SEED and VERDICT_ENGINES choose the world and the engines.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, FromArgMatches};
use criterion::Criterion;
use regex::Regex;
use verdict::cli::WorldArgs;
use verdict::progress::Display;
use verdict::run::{OnTrial, Request, criterion, items, run};
use verdict::{exit, finish, paths};
use verdict_scenarios::session::Depth;
use verdict_scenarios::trial::bench_names;
use verdict_seed::World;

/// Criterion's flags that are followed by a value, which is no filter.
const WITH_VALUE: [&str; 17] = [
    "-c",
    "--color",
    "--colour",
    "-b",
    "--baseline",
    "--baseline-lenient",
    "-s",
    "--save-baseline",
    "--load-baseline",
    "--sample-size",
    "--warm-up-time",
    "--measurement-time",
    "--nresamples",
    "--noise-threshold",
    "--confidence-level",
    "--significance-level",
    "--output-format",
];

/// Criterion's ways of not measuring: nothing comes of them that could be reported.
const WITHOUT_MEASURING: [&str; 3] = ["--test", "--load-baseline", "--profile-time"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let criterion = criterion(Depth::Full).configure_from_args();
    match bench(criterion, &arguments) {
        Ok(code) => code,
        Err(error) => exit::failure(&error),
    }
}

fn bench(mut criterion: Criterion, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let given = |flags: &[&str]| arguments.iter().any(|word| flags.contains(&word.as_str()));
    let mut request = Request {
        items: items(&[])?,
        depth: Depth::Full,
        loaded: !given(&WITHOUT_MEASURING),
        world: world_args()?,
        host: PathBuf::from(env!("CARGO_BIN_EXE_verdict")),
    };
    let world = World::new(request.world.spec());
    let selected = selection(arguments)?;
    let names = |OnTrial { audit, item }: &OnTrial| bench_names(*item, audit, &world);

    if given(&["--list"]) {
        for on_trial in &request.items {
            for name in names(on_trial) {
                criterion.bench_function(&name, |_| {});
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    request
        .items
        .retain(|on_trial| names(on_trial).iter().any(|name| selected(name)));
    if request.items.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let output = paths::prepare()?;
    let display = Display::new();
    let mut results = run(&request, &mut criterion, &selected, &display)?;
    criterion.final_summary();
    results.run.warnings.extend(display.finish());
    if given(&WITHOUT_MEASURING) {
        return Ok(ExitCode::SUCCESS);
    }
    finish::finish(&results, &output, None)
}

/// The world that the environment asks for.
fn world_args() -> anyhow::Result<WorldArgs> {
    let command = WorldArgs::augment_args(clap::Command::new("cargo bench"));
    let matches = command.try_get_matches_from(["cargo bench"])?;
    Ok(WorldArgs::from_arg_matches(&matches)?)
}

/// Whether a bench is asked for, as criterion reads its filter.
fn selection(arguments: &[String]) -> anyhow::Result<impl Fn(&str) -> bool + use<>> {
    let mut filter = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(&word.as_str()) || word == "--profile-time" {
            words.next();
        } else if !word.starts_with('-') {
            filter = Some(word.clone());
        }
    }
    let exact = arguments.iter().any(|word| word == "--exact");
    let pattern = filter.as_deref().map(Regex::new).transpose()?;
    Ok(move |name: &str| match (&filter, &pattern) {
        (Some(filter), _) if exact => filter == name,
        (_, Some(pattern)) => pattern.is_match(name),
        _ => true,
    })
}
