//! How the process ends.

use std::io::{Write, stderr};
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
    let mut words = causes(error);
    let mut exit = error.exit();
    if DAMAGED.iter().any(|damaged| words.contains(damaged)) {
        words.push_str("; the kept world may be damaged: `verdict doctor --worlds` reads it whole");
        // Whoever met it, it is neither the engine's fault nor ours.
        exit = Exit::Data;
    }
    if FULL.iter().any(|full| words.contains(full)) {
        words.push_str(
            "; the disk is full: free some space, or name a folder elsewhere, by VERDICT_CACHE for \
             engines and worlds, by --output or CARGO_TARGET_DIR for results",
        );
        exit = Exit::Io;
    }
    // Nothing can be done about a standard error that is gone.
    let _ = writeln!(stderr(), "verdict: {words}");
    code(exit)
}

/// What they say when there is no room; an error that says itself what to do uses other words.
const FULL: [&str; 2] = ["No space left on device", "NOT_ENOUGH_SPACE"];

/// What the engines say when they read what is not as they wrote it.
const DAMAGED: [&str; 8] = [
    "invalid page in block",
    "could not read block",
    "Checksum doesn't match",
    "CANNOT_READ_ALL_DATA",
    "NO_FILE_IN_DATA_PART",
    "CORRUPTED_DATA",
    "CANNOT_DECOMPRESS",
    "TOO_LARGE_SIZE_COMPRESSED",
];

/// An error with its causes, each said once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
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
    words
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_cause_is_said_once_and_a_long_message_is_cut() {
        let source = io::Error::from(io::ErrorKind::IsADirectory);
        let said = source.to_string();
        let error = Error::Output {
            folder: "out".into(),
            source,
        };
        assert_eq!(causes(&error).matches(&said).count(), 1);
        let long = Error::NotOnTrial("x".repeat(10 * LONGEST));
        assert!(causes(&long).len() <= LONGEST + 4);
    }
}
