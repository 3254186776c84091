//! What can go wrong with the service itself, apart from the requests it refuses.

use std::path::PathBuf;

use verdict_audit::Exit;
use verdict_store::Fault;

/// A result of running the service.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the service could not be run. Messages never hold a connection string.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A fix could not be applied to the optimized side.
    #[error("failed to give the optimized side every fix: {0}")]
    Migrate(Fault),
    /// The cache could not be set up.
    #[error("failed to set up the cache of the optimized side: {0}")]
    Cache(String),
    /// Requests outlasted the shutdown.
    #[error(
        "requests were still running {seconds} s after the service was told to stop, and were cut \
         off: look for a statement that waits for a lock"
    )]
    CutOff {
        /// How long they were given.
        seconds: u64,
    },
    /// The service's process could not be started.
    #[error("starting the service as {program} failed: {source}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The service's process did not do its part.
    #[error("the service's process {what}; {said}")]
    Process {
        /// What it did.
        what: String,
        /// Its last words, or that there are none.
        said: String,
    },
    /// The service's process ended while it was needed.
    #[error(
        "the service under load {what} in the middle of it; {said}; nothing was written, and earlier results stand: run again"
    )]
    Died {
        /// How.
        what: String,
        /// Its last words, or that there are none.
        said: String,
    },
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Migrate(Fault::Harness(error)) => error.exit(),
            Self::Migrate(_) | Self::Cache(_) | Self::CutOff { .. } | Self::Process { .. } => {
                Exit::Software
            }
            Self::Died { .. } => Exit::Unavailable,
            Self::Spawn { source, .. } => Exit::of_io(source),
        }
    }
}
