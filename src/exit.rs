//! Exit codes: 0, 1 and 2 answer "are the promises kept", the others say why there is no answer.

use std::io::ErrorKind;
use std::process::ExitCode;

use verdict_engines::Error as EnginesError;

/// Every promise judged is kept.
pub const MET: u8 = 0;
/// An optimized variant answers differently, or misses a target.
pub const MISSED: u8 = 1;
/// The evidence does not decide.
pub const CANNOT_JUDGE: u8 = 2;
/// The command line is wrong (sysexits' EX_USAGE).
pub const USAGE: u8 = 64;
/// A file that was given is not what it should be (EX_DATAERR).
pub const DATA: u8 = 65;
/// A file that was given is not there (EX_NOINPUT).
pub const NO_INPUT: u8 = 66;
/// An engine or a service cannot be had (EX_UNAVAILABLE).
pub const UNAVAILABLE: u8 = 69;
/// Verdict itself is at fault (EX_SOFTWARE).
pub const SOFTWARE: u8 = 70;
/// A file cannot be written, or the disk is full (EX_IOERR).
pub const IO: u8 = 74;
/// Not permitted (EX_NOPERM).
pub const PERMISSION: u8 = 77;

/// Prints what clap has to say: help and version are no errors.
pub fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done about a standard output that is gone.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints one error with its causes and chooses the exit code.
pub fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("verdict: {error:#}");
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| {
            if let Some(engines) = cause.downcast_ref::<EnginesError>() {
                return Some(match engines {
                    EnginesError::DiskFull { .. } | EnginesError::Io { .. } => IO,
                    EnginesError::Permission { .. } => PERMISSION,
                    EnginesError::BadUrl { .. }
                    | EnginesError::UnknownChoice { .. }
                    | EnginesError::MissingVariable { .. } => USAGE,
                    _ => UNAVAILABLE,
                });
            }
            if cause.is::<verdict_audit::CatalogueError>() {
                return Some(USAGE);
            }
            let io = cause.downcast_ref::<std::io::Error>()?;
            Some(match io.kind() {
                ErrorKind::NotFound => NO_INPUT,
                ErrorKind::PermissionDenied => PERMISSION,
                _ => IO,
            })
        })
        .unwrap_or(SOFTWARE)
}
