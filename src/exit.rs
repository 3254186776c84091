//! Exit codes: 0, 1 and 2 answer "are the promises kept", the others say why there is no answer.

use std::io::ErrorKind;
use std::process::ExitCode;

use verdict_baseline::Error as OperationError;
use verdict_engines::Error as EnginesError;
use verdict_reports::json::JsonError;
use verdict_scenarios::Error as TrialError;
use verdict_scenarios::load::Error as LoadError;

use crate::run::NotOnTrial;

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

/// Ended by Ctrl-C, as shells say it.
pub const INTERRUPTED: u8 = 130;

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
                return Some(engines_code(engines));
            }
            if let Some(trial) = cause.downcast_ref::<TrialError>() {
                return Some(match trial {
                    TrialError::Engines(engines) => engines_code(engines),
                    TrialError::Postgres { source, .. } if is_gone(source) => UNAVAILABLE,
                    TrialError::Stopped {
                        source: OperationError::Database(source),
                        ..
                    } if is_gone(source) => UNAVAILABLE,
                    _ => SOFTWARE,
                });
            }
            if cause.is::<verdict_audit::CatalogueError>() || cause.is::<NotOnTrial>() {
                return Some(USAGE);
            }
            if let Some(json) = cause.downcast_ref::<JsonError>() {
                return Some(match json {
                    JsonError::Missing(_) => NO_INPUT,
                    JsonError::Io { source, .. } => io_code(source),
                    JsonError::Unwritable { .. } => SOFTWARE,
                    _ => DATA,
                });
            }
            if let Some(load) = cause.downcast_ref::<LoadError>() {
                return Some(match load {
                    LoadError::EmptyPlan { .. } | LoadError::Senseless { .. } => USAGE,
                    LoadError::NoService { .. } => UNAVAILABLE,
                    LoadError::Interrupted => INTERRUPTED,
                    _ => SOFTWARE,
                });
            }
            cause.downcast_ref::<std::io::Error>().map(io_code)
        })
        .unwrap_or(SOFTWARE)
}

fn engines_code(error: &EnginesError) -> u8 {
    match error {
        EnginesError::DiskFull { .. } | EnginesError::Io { .. } => IO,
        EnginesError::Permission { .. } => PERMISSION,
        EnginesError::BadUrl { .. }
        | EnginesError::UnknownChoice { .. }
        | EnginesError::MissingVariable { .. } => USAGE,
        _ => UNAVAILABLE,
    }
}

/// Whether the server, rather than the statement, is at fault.
fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        // Class 57: the server is shutting down, was ended, or is not up yet.
        sqlx::Error::Database(database) => {
            database.code().is_some_and(|code| code.starts_with("57P"))
        }
        _ => false,
    }
}

fn io_code(error: &std::io::Error) -> u8 {
    match error.kind() {
        ErrorKind::NotFound => NO_INPUT,
        ErrorKind::PermissionDenied => PERMISSION,
        _ => IO,
    }
}
