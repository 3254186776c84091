//! The subcommands, one file each.

mod check;
mod clean;
mod compare;
mod doctor;
mod gate;
mod history;
mod list;
mod load;
mod merge;
mod monitor;
mod report;
mod run;
mod seed;
mod serve;

use std::process::ExitCode;

use crate::cli::{Cli, Command};

/// Does what the command line says and answers the exit code.
///
/// # Errors
/// Whatever keeps the command from being done; [`crate::exit`] knows its exit code.
pub fn run(cli: Cli) -> crate::error::Result<ExitCode> {
    match cli.command {
        Command::Run(args) => run::run(args),
        Command::Seed(args) => seed::run(&args),
        Command::Check(args) => check::run(args),
        Command::Load(args) => load::run(args),
        Command::Serve(args) => serve::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Monitor(args) => monitor::run(&args),
        Command::Gate(args) => gate::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::History(command) => history::run(&command),
        Command::List(args) => list::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Clean(args) => clean::run(&args),
    }
}
