//! `verdict gate`: whether results keep the promises.

use std::process::ExitCode;

use verdict_reports::{Gate, gate, json};

use crate::cli::ResultsArgs;
use crate::{exit, paths};

pub(super) fn run(args: &ResultsArgs) -> anyhow::Result<ExitCode> {
    let file = args
        .results
        .clone()
        .unwrap_or_else(|| paths::results(&paths::output()));
    let (word, reasons, code) = match gate(&json::read(&file)?) {
        Gate::Met => ("met", Vec::new(), exit::MET),
        Gate::Missed(reasons) => ("missed", reasons, exit::MISSED),
        Gate::CannotJudge(reasons) => ("cannot judge", reasons, exit::CANNOT_JUDGE),
    };
    println!("{word}");
    for reason in reasons {
        println!("  {reason}");
    }
    Ok(ExitCode::from(code))
}
