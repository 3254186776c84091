//! `verdict merge`: several load generators' results as one.

use std::process::ExitCode;

use verdict_load::merge;
use verdict_reports::json;

use crate::cli::MergeArgs;
use crate::{finish, paths};

pub(super) fn run(args: &MergeArgs) -> crate::error::Result<ExitCode> {
    let parts = args
        .results
        .iter()
        .map(|file| json::read(file))
        .collect::<Result<Vec<_>, _>>()?;
    let output = paths::prepare_for(args.output.as_deref())?;
    finish::finish(&merge(parts)?, &output, args.output.as_deref())
}
