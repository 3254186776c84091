//! `verdict history`: runs that are kept, and their figures over time.

use std::process::ExitCode;

use verdict_audit::{Catalogue, FlowId};
use verdict_history::{Folder, Measure, Trend};
use verdict_reports::comparison_text;

use crate::cli::{FolderArgs, HistoryAddArgs, HistoryCommand, HistoryImportArgs, HistoryShowArgs};
use crate::{past, paths};

pub(super) fn run(command: &HistoryCommand) -> crate::error::Result<ExitCode> {
    match command {
        HistoryCommand::Add(args) => add(args),
        HistoryCommand::Show(args) => show(args),
        HistoryCommand::Import(args) => import(args),
    }
}

fn folder(args: &FolderArgs) -> Folder {
    past::folder(&paths::output(), args.folder.as_deref())
}

fn add(args: &HistoryAddArgs) -> crate::error::Result<ExitCode> {
    let last = || paths::results(&paths::output());
    let results = args.results.results.clone().unwrap_or_else(last);
    let folder = folder(&args.folder);
    let new = folder.add(&past::read(&results)?.kept())?;
    let words = if new { "kept in" } else { "already in" };
    println!("{words} {}", folder.path().display());
    Ok(ExitCode::SUCCESS)
}

fn show(args: &HistoryShowArgs) -> crate::error::Result<ExitCode> {
    let subjects = args
        .subjects
        .iter()
        .map(|word| match word.parse::<FlowId>() {
            Ok(flow) => Ok(flow.to_string()),
            Err(_) => Ok(Catalogue::builtin().item(word)?.id.to_string()),
        })
        .collect::<crate::error::Result<Vec<String>>>()?;
    let records = folder(&args.folder).records()?;
    let trends = Trend::all(&records, |key| match subjects.is_empty() {
        true => key.measure == Measure::SpeedUp && key.variant == "optimized",
        false => subjects.contains(&key.subject),
    });
    print!("{}", comparison_text::trends(&trends));
    Ok(ExitCode::SUCCESS)
}

fn import(args: &HistoryImportArgs) -> crate::error::Result<ExitCode> {
    let folder = folder(&args.folder);
    let mut found = (0, 0);
    for path in &args.from {
        let records = match path.is_dir() {
            true => Folder::new(path).records()?,
            false => vec![past::read(path)?.kept()],
        };
        for record in &records {
            match folder.add(record)? {
                true => found.0 += 1,
                false => found.1 += 1,
            }
        }
    }
    let (new, known) = found;
    println!(
        "{new} runs taken over, {known} were already in {}",
        folder.path().display()
    );
    Ok(ExitCode::SUCCESS)
}
