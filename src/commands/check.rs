//! `verdict check`: answers only.

use std::process::ExitCode;

use tokio::runtime::Runtime;
use verdict_audit::evidence::{ItemEvidence, VariantEvidence};
use verdict_audit::{Catalogue, Exit, VariantName};
use verdict_engines::Engines;
use verdict_scenarios::court::Court;
use verdict_scenarios::docket;
use verdict_scenarios::session::{Depth, Session};
use verdict_seed::{Scale, World};

use crate::cli::CheckArgs;
use crate::on_trial::{OnTrial, items};
use crate::progress::Display;
use crate::{exit, world};

pub(super) fn run(args: CheckArgs) -> crate::error::Result<ExitCode> {
    docket::hold(Catalogue::builtin(), docket::ITEMS)?;
    let items = items(&args.items)?;
    let runtime = Runtime::new()?;
    let display = Display::new();
    let asked = args.world.or(Scale::Quick);
    let world = World::new(asked.spec());
    let options = world::options(&asked.scale.engines, std::env::current_exe()?, &display)?;
    let engines = runtime.block_on(world::open(&options, &world, &display))?;
    let compared = compare(&items, &runtime, &engines, &world, &display);
    let compared = runtime.block_on(engines.stop(compared))?;
    display.finish();

    let mut missed = false;
    for evidence in &compared {
        for variant in &evidence.variants {
            println!(
                "{:<16} {:<16} {}",
                evidence.id,
                variant.name,
                outcome(variant)
            );
            let sound = right(variant) && today_runs_on(variant);
            missed |= variant.name == VariantName::Optimized && !sound;
        }
    }
    Ok(exit::code(if missed { Exit::Missed } else { Exit::Met }))
}

fn compare(
    items: &[OnTrial],
    runtime: &Runtime,
    engines: &Engines,
    world: &World,
    display: &Display,
) -> crate::error::Result<Vec<ItemEvidence>> {
    let session = runtime.block_on(Session::open(engines, world, Depth::Full))?;
    let court = Court {
        runtime,
        session: &session,
        items: docket::ITEMS,
        watcher: display,
    };
    let compared = items
        .iter()
        .map(|OnTrial { audit, item }| Ok(court.hear(*item, audit, None)?))
        .collect();
    runtime.block_on(session.close())?;
    compared
}

fn right(variant: &VariantEvidence) -> bool {
    variant
        .answers
        .as_ref()
        .is_some_and(|answers| answers.differing == 0 && answers.checked > 0)
}

/// Whether today's operations still run on the schema that it makes.
fn today_runs_on(variant: &VariantEvidence) -> bool {
    let additive = variant.additive.as_ref();
    additive.is_none_or(|answers| answers.differing == 0)
}

fn outcome(variant: &VariantEvidence) -> String {
    if let Some(failure) = &variant.failure {
        return format!("fails: {failure}");
    }
    let Some(answers) = &variant.answers else {
        return "not compared".to_owned();
    };
    let mut outcome = match answers.differing {
        0 => format!("{} answers, all as due", answers.checked),
        differing => format!(
            "wrong: {differing} of {} answers differ, first {}",
            answers.checked,
            answers.first_difference.as_deref().unwrap_or("unknown")
        ),
    };
    if let Some(additive) = variant.additive.as_ref().filter(|a| a.differing > 0) {
        outcome.push_str(&format!(
            "\n    on its schema {} of {} of today's answers are wrong, first {}",
            additive.differing,
            additive.checked,
            additive.first_difference.as_deref().unwrap_or("unknown")
        ));
    }
    for shortened in &answers.shortened {
        outcome.push_str("\n    ");
        outcome.push_str(shortened);
    }
    for declared in &answers.declared {
        outcome.push_str("\n    to be known: ");
        outcome.push_str(declared);
    }
    outcome
}
