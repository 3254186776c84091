//! The end of a run: results and report written, the verdicts shown, the exit code chosen.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use verdict_audit::evidence::Results;
use verdict_reports::{Gate, gate, html, json, table};

use crate::{exit, paths};

/// Writes and shows results, and answers 1 when a promise is known to be broken.
///
/// # Errors
/// When a file cannot be written.
pub fn finish(results: &Results, output: &Path) -> anyhow::Result<ExitCode> {
    json::write(&paths::results(output), results)?;
    let page = html::write(&paths::report(output), results)?;
    let out = std::io::stdout();
    println!("{}", table::render(results, out.is_terminal()));
    println!("report: {}", page.display());
    Ok(match gate(results) {
        Gate::Missed(reasons) => {
            for reason in reasons {
                eprintln!("missed: {reason}");
            }
            ExitCode::from(exit::MISSED)
        }
        Gate::Met | Gate::CannotJudge(_) => ExitCode::from(exit::MET),
    })
}
