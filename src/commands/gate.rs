//! `verdict gate`: whether results keep the promises.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use verdict_audit::Exit;
use verdict_audit::evidence::{ItemEvidence, Results};
use verdict_reports::gates::{self, Gates, Line};
use verdict_reports::json::JsonError;
use verdict_reports::{Gate, gate, json, replace};
use verdict_scenarios::docket;
use verdict_scenarios::item::Item;

use crate::cli::GateArgs;
use crate::error::Error;
use crate::{exit, paths};

/// Gates of one's own, in the folder that one is in.
const GATES: &str = "gates.toml";

pub(super) fn run(args: &GateArgs) -> crate::error::Result<ExitCode> {
    let last = || paths::results(&paths::output());
    let results = read(args.results.results.clone().unwrap_or_else(last))?;
    if args.propose {
        return propose(&results, &args.to);
    }
    let own = Path::new(GATES);
    match args.gates.as_deref().or(own.exists().then_some(own)) {
        Some(file) => of_file(&results, file, args),
        None => of_every_run(&results, args),
    }
}

fn read(file: PathBuf) -> crate::error::Result<Results> {
    let results = json::read(&file)?;
    let kept =
        |item: &&ItemEvidence| docket::item(&item.id).and_then(Item::keep) != item.keep.as_deref();
    match results.items.iter().find(kept) {
        None => Ok(results),
        Some(item) => Err(JsonError::CannotBeTrue {
            path: file,
            reason: format!(
                "whether today is kept in {} is another matter here",
                item.id
            ),
        }
        .into()),
    }
}

fn propose(results: &Results, to: &Path) -> crate::error::Result<ExitCode> {
    if to.exists() {
        return Err(Error::AlreadyThere(to.to_owned()));
    }
    write(to, &gates::propose(results))?;
    println!("{} has gates that these results hold", to.display());
    Ok(ExitCode::SUCCESS)
}

fn of_file(results: &Results, file: &Path, args: &GateArgs) -> crate::error::Result<ExitCode> {
    let lines = gates::judge(&Gates::read(file)?, results);
    for line in &lines {
        println!("{line}");
    }
    answer(gates::exit(&lines), &lines, args)
}

/// What holds for every run, where no gates of one's own are.
fn of_every_run(results: &Results, args: &GateArgs) -> crate::error::Result<ExitCode> {
    let (word, reasons, code) = match gate(results) {
        Gate::Met => ("met", Vec::new(), Exit::Met),
        Gate::Missed(reasons) => ("missed", reasons, Exit::Missed),
        Gate::CannotJudge(reasons) => ("cannot judge", reasons, Exit::CannotJudge),
    };
    println!("{word}");
    for reason in &reasons {
        println!("  {reason}");
    }
    answer(code, &gates::of_promises(results), args)
}

/// Writes the lines wherever they were asked for.
fn answer(code: Exit, lines: &[Line], args: &GateArgs) -> crate::error::Result<ExitCode> {
    if let Some(file) = &args.junit {
        let xml = gates::junit(lines).map_err(|error| Error::Junit(error.to_string()))?;
        write(file, &xml)?;
    }
    if let Some(file) = &args.markdown {
        write(file, &gates::markdown(lines))?;
    }
    if let Some(file) = &args.json {
        write(file, &gates::json(lines).map_err(io::Error::other)?)?;
    }
    if args.annotations {
        print!("{}", gates::annotations(lines));
    }
    Ok(exit::code(code))
}

fn write(file: &Path, text: &str) -> crate::error::Result<()> {
    Ok(replace(file, |temporary| std::fs::write(temporary, text))?)
}
