//! The `verdict` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = verdict_engines::host::dispatch(std::env::args_os()) {
        return code;
    }
    ExitCode::SUCCESS
}
