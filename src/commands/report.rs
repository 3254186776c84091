//! `verdict report`: the report, written again from results.

use std::process::ExitCode;

use verdict_reports::{html, json};

use crate::cli::ResultsArgs;
use crate::paths;

pub(super) fn run(args: &ResultsArgs) -> anyhow::Result<ExitCode> {
    let output = paths::output();
    let results = args
        .results
        .clone()
        .unwrap_or_else(|| paths::results(&output));
    let page = html::write(&paths::report(&output), &json::read(&results)?)?;
    println!("report: {}", page.display());
    Ok(ExitCode::SUCCESS)
}
