//! The end of a run: results and report written, the verdicts shown, the exit code chosen.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use verdict_audit::Exit;
use verdict_audit::evidence::Results;
use verdict_reports::artefact::Artefact;
use verdict_reports::{Gate, gate, html, json, replace, table};

use crate::{exit, past, paths};

/// Writes and shows results, and answers 1 when a promise is known to be broken. They go
/// to the output folder, where the results that were there before are kept beside them, or to
/// the file named in its place.
///
/// # Errors
/// When a file cannot be written.
pub fn finish(
    results: &Results,
    output: &Path,
    elsewhere: Option<&Path>,
) -> crate::error::Result<ExitCode> {
    let file = elsewhere.map_or_else(|| paths::results(output), Path::to_owned);
    if elsewhere.is_none() && file.exists() {
        replace(&paths::previous(output), |temporary| {
            std::fs::copy(&file, temporary).map(drop)
        })?;
    }
    json::write(&file, results)?;
    let page = report(results, output)?;
    let out = std::io::stdout();
    println!("{}", table::render(results, out.is_terminal()));
    for warning in &results.run.warnings {
        println!("note: {warning}");
    }
    match past::keep(results, output) {
        Ok(since) => print!("{}", since.unwrap_or_default()),
        Err(error) => println!("note: this run is not kept in the history: {error}"),
    }
    println!("results: {}", file.display());
    println!("report: {}", page.display());
    Ok(match gate(results) {
        Gate::Missed(reasons) => {
            for reason in reasons {
                eprintln!("missed: {reason}");
            }
            exit::code(Exit::Missed)
        }
        Gate::Met | Gate::CannotJudge(_) => exit::code(Exit::Met),
    })
}

/// Writes the report of results, with links to the load generator's own where they are of the
/// same run.
///
/// # Errors
/// When it cannot be written.
pub fn report(results: &Results, output: &Path) -> crate::error::Result<PathBuf> {
    let folder = paths::report(output);
    let page = folder.join("index.html");
    let mut artefacts = Vec::new();
    let goose = paths::goose(output, &results.run.id);
    if let Ok(files) = std::fs::read_dir(&goose) {
        let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let href = file.strip_prefix(&folder).unwrap_or(&file);
            artefacts.push(Artefact {
                title: name.into_owned(),
                href: href.display().to_string(),
            });
        }
    }
    html::write(&page, results, &artefacts)?;
    Ok(page)
}
