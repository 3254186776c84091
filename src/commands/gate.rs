//! `verdict gate`: whether results keep the promises.

use std::process::ExitCode;

use verdict_audit::Exit;
use verdict_reports::{Gate, gate, json};

use crate::cli::ResultsArgs;
use crate::{exit, paths};

pub(super) fn run(args: &ResultsArgs) -> crate::error::Result<ExitCode> {
    let file = args
        .results
        .clone()
        .unwrap_or_else(|| paths::results(&paths::output()));
    let (word, reasons, code) = match gate(&json::read(&file)?) {
        Gate::Met => ("met", Vec::new(), Exit::Met),
        Gate::Missed(reasons) => ("missed", reasons, Exit::Missed),
        Gate::CannotJudge(reasons) => ("cannot judge", reasons, Exit::CannotJudge),
    };
    println!("{word}");
    for reason in reasons {
        println!("  {reason}");
    }
    Ok(exit::code(code))
}
