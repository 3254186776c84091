//! `verdict run`: the whole trial.

use std::process::ExitCode;

use verdict_scenarios::session::Depth;
use verdict_seed::Scale;

use crate::budget::criterion;
use crate::cli::RunArgs;
use crate::on_trial::items;
use crate::progress::Display;
use crate::run::{Request, run as hold};
use crate::unfinished::Unfinished;
use crate::{finish, paths};

pub(super) fn run(args: RunArgs) -> crate::error::Result<ExitCode> {
    let (depth, world) = if args.quick {
        (Depth::Quick, args.world.or(Scale::Quick))
    } else {
        (Depth::Full, args.world)
    };
    let output = paths::prepare()?;
    let (items, timed) = (items(&args.items)?, !args.untimed);
    let mut unfinished = Unfinished::begin(&output, &items, depth, timed, &world.spec())?;
    if args.resume {
        unfinished = unfinished.resume()?;
    }
    let request = Request {
        items,
        depth,
        timed,
        // Who asks for an item in a hurry has not asked for the flows.
        loaded: !args.quick || args.items.is_empty(),
        world,
        host: std::env::current_exe()?,
        unfinished: Some(unfinished.clone()),
    };
    let display = Display::new();
    if let Some(note) = unfinished.note() {
        display.announce(&note);
    }
    let mut criterion = criterion(request.depth).output_directory(&paths::criterion(&output));
    let mut results = hold(&request, &mut criterion, &|_| true, &display)?;
    results.run.warnings.extend(display.finish());
    let code = finish::finish(&results, &output, None)?;
    unfinished.end()?;
    Ok(code)
}
