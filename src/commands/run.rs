//! `verdict run`: the whole trial.

use std::process::ExitCode;

use verdict_scenarios::session::Depth;
use verdict_seed::Scale;

use crate::budget::criterion;
use crate::cli::RunArgs;
use crate::on_trial::items;
use crate::progress::Display;
use crate::run::{Request, run as hold};
use crate::{finish, paths};

pub(super) fn run(args: RunArgs) -> crate::error::Result<ExitCode> {
    let (depth, world) = if args.quick {
        (Depth::Quick, args.world.or(Scale::Quick))
    } else {
        (Depth::Full, args.world)
    };
    let request = Request {
        items: items(&args.items)?,
        depth,
        // Who asks for an item in a hurry has not asked for the flows.
        loaded: !args.quick || args.items.is_empty(),
        world,
        host: std::env::current_exe()?,
    };
    let output = paths::prepare()?;
    let display = Display::new();
    let mut criterion = criterion(request.depth).output_directory(&paths::criterion(&output));
    let mut results = hold(&request, &mut criterion, &|_| true, &display)?;
    results.run.warnings.extend(display.finish());
    finish::finish(&results, &output, None)
}
