//! The `verdict` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Some(code) = verdict_engines::host::dispatch(std::env::args_os()) {
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
