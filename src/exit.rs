//! How the process ends.

use std::process::ExitCode;

use verdict_audit::Exit;

use crate::error::Error;

/// Characters of a message that are shown: one that ends in an engine's log has a few thousand.
const LONGEST: usize = 8_000;

/// The code of an end.
pub fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}

/// Prints what clap has to say: help and version are no errors.
pub fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done about a standard output that is gone.
    let _ = error.print();
    if error.use_stderr() {
        code(Exit::Usage)
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints one error with its causes and chooses the exit code.
pub fn failure(error: &Error) -> ExitCode {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let more = next.to_string();
        // Most messages hold their cause's already.
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = next.source();
    }
    // A message may quote what it was given, which may be of any length.
    if let Some((end, _)) = words.char_indices().nth(LONGEST) {
        words.truncate(end);
        words.push_str(" ...");
    }
    eprintln!("verdict: {words}");
    code(error.exit())
}
