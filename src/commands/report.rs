//! `verdict report`: the report, written again from results.

use std::process::ExitCode;

use verdict_reports::json;

use crate::cli::ResultsArgs;
use crate::{finish, paths};

pub(super) fn run(args: &ResultsArgs) -> crate::error::Result<ExitCode> {
    let output = paths::output();
    let results = args
        .results
        .clone()
        .unwrap_or_else(|| paths::results(&output));
    let page = finish::report(&json::read(&results)?, &output)?;
    println!("report: {}", page.display());
    Ok(ExitCode::SUCCESS)
}
