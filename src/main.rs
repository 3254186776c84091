//! The `verdict` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    verdict::file_limit::raise();
    verdict::streams::guard();
    let args = std::env::args_os;
    let hidden =
        verdict_engines::host::dispatch(args()).or_else(|| verdict_service::dispatch(args()));
    if let Some(code) = hidden {
        return code;
    }
    let command = match verdict::Cli::try_parse() {
        Ok(command) => command,
        Err(error) => return verdict::exit::usage(&error),
    };
    match verdict::commands::run(command) {
        Ok(code) => code,
        Err(error) => verdict::exit::failure(&error),
    }
}
