//! What can go wrong between a command and three running engines.

use std::path::PathBuf;

use verdict_audit::Exit;

use crate::mode::Mode;
use crate::vigil::Death;

/// Why engines could not be had, used or put away.
///
/// Messages are fragments that fit after "failed to ...: " and end in what to do. They
/// never hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that fetches packages is not installed.
    #[error("`{tool}` is needed to {purpose}, and it is not installed: {remedy}")]
    MissingTool {
        /// The program.
        tool: String,
        /// What it is needed for.
        purpose: String,
        /// How to install it.
        remedy: String,
    },
    /// A package client failed.
    #[error("fetching {package} with {tool} failed: {reason}\n{output}")]
    Fetch {
        /// The package with its version.
        package: String,
        /// `pip` or `npm`.
        tool: String,
        /// What it most likely was, and what to do.
        reason: String,
        /// The client's last lines.
        output: String,
    },
    /// An archive is not the one that was pinned.
    #[error(
        "the archive of {package} has sha256 {found}, and {expected} was pinned: it is not the package that was reviewed; \
         fetch again, and if it repeats, do not use it"
    )]
    Checksum {
        /// The package with its version.
        package: String,
        /// The pinned digest.
        expected: String,
        /// The archive's digest.
        found: String,
    },
    /// What was kept is not as it was put there; it has been removed.
    #[error(
        "{what} kept in {path} was damaged ({words}) and has been removed: run again, and it is had anew"
    )]
    Damaged {
        /// What.
        what: String,
        /// Where.
        path: PathBuf,
        /// The first difference.
        words: String,
    },
    /// No room left.
    #[error(
        "the disk of {path} is full: free some space (the folder `worlds` in the cache may be removed at any time), or set VERDICT_CACHE to a folder elsewhere"
    )]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// A file or folder may not be used.
    #[error("no permission for {path}: make it yours, or set VERDICT_CACHE to a folder that is")]
    Permission {
        /// What was being opened or written.
        path: PathBuf,
    },
    /// A path that cannot be written into a file of settings.
    #[error(
        "the cache folder {path:?} has a name that engines cannot be given: set VERDICT_CACHE to one in UTF-8 without control characters, backslashes, double quotes, backquotes and dollar signs"
    )]
    OddPath {
        /// The folder.
        path: PathBuf,
    },
    /// Any other trouble with a file.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done, such as `reading`.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// An engine ended, or never began.
    #[error("{engine} {what}; the last lines of its log:\n{log}")]
    EngineDied {
        /// `postgres`, `clickhouse` or `redis`.
        engine: String,
        /// What it did, such as `ended with exit status: 1`.
        what: String,
        /// The end of its log.
        log: String,
    },
    /// An engine died while a world was built.
    #[error("{0}; nothing of the world that was being built is kept: run again")]
    Dead(Death),
    /// The process that owns the engines is gone.
    #[error(
        "the process that keeps the engines {what}: start again, and look for an out-of-memory kill in the kernel's log if it repeats"
    )]
    Keeper {
        /// What it did or said.
        what: String,
    },
    /// A URL given by the user is no good.
    #[error("{variable} is not a URL that can be used: {reason}")]
    BadUrl {
        /// The environment variable.
        variable: &'static str,
        /// Why, and what would be right.
        reason: String,
    },
    /// A server given by the user does not answer, or not as it should.
    #[error("the server that {variable} names cannot be used: {reason}")]
    Unreachable {
        /// The environment variable.
        variable: &'static str,
        /// What it answered.
        reason: String,
    },
    /// There are no packages for this machine.
    #[error(
        "there are no embedded engines for {platform}: set DATABASE_URL, CLICKHOUSE_URL and REDIS_URL, or run Docker and use `--engines containers`"
    )]
    UnsupportedPlatform {
        /// Operating system and processor.
        platform: String,
    },
    /// The Docker daemon could not do it.
    #[error("the Docker daemon failed at {what}: {reason}")]
    Docker {
        /// What was asked of it.
        what: String,
        /// What it answered.
        reason: String,
    },
    /// A statement of Verdict's own failed.
    #[error("{engine} refused to {what}: {reason}")]
    Refused {
        /// The engine.
        engine: &'static str,
        /// What was asked of it.
        what: String,
        /// Its own words.
        reason: String,
    },
    /// A relay before an engine does not start.
    #[error(
        "no relay to {target} can be started: {reason}; look at the name in its URL, and at the limits on open files and threads (`ulimit -a`)"
    )]
    Relay {
        /// The engine's address.
        target: String,
        /// The system's answer.
        reason: String,
    },
    /// The user's Redis has no empty database for a side.
    #[error(
        "the server that REDIS_URL names has no empty database to use: empty one that nobody needs (numbered from 1, beside the one in the URL), \
         or start the server with more (`databases 64`; a cluster has only one), or use --engines embedded"
    )]
    NoRedisDatabase,
    /// A numbered Redis database has no marker of this run any more, so it is not emptied.
    #[error(
        "Redis database {number} no longer has the key `verdict:run` of this run, so it is left as it is: if nobody else uses it, empty it with \
         `redis-cli -n {number} FLUSHDB`; and let a trial delete its own keys instead of flushing"
    )]
    RedisClaimLost {
        /// The database's number.
        number: i64,
    },
    /// Every database of our own Redis has a side already.
    #[error(
        "there are {most} sides already, and Redis has no database for another: drop one with `Engines::drop_side`"
    )]
    TooManySides {
        /// How many there can be at once.
        most: i64,
    },
    /// There is no side for a role.
    #[error("there is no side `{role}`: make it with `Engines::side` first")]
    NoSide {
        /// The role.
        role: String,
    },
    /// The caller's code that loads the world failed; nothing was sealed.
    #[error("the world `{key}` could not be built: {source}")]
    Build {
        /// The world's key.
        key: String,
        /// The caller's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A word that is no engine mode.
    #[error("`{word}` is no way to get engines: use auto, embedded, containers or external")]
    UnknownChoice {
        /// The word.
        word: String,
    },
    /// A variable that a mode needs is not set.
    #[error("{mode} engines need {variable}, and it is not set")]
    MissingVariable {
        /// The mode that was chosen.
        mode: Mode,
        /// The environment variable.
        variable: &'static str,
    },
}

impl Error {
    /// The exit code that says so. A world that could not be built is the builder's affair: its
    /// own error, where it has one, knows better.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Damaged { .. } => Exit::Data,
            Self::DiskFull { .. } | Self::Io { .. } => Exit::Io,
            Self::Build { source, .. } if is_full(source.as_ref()) => Exit::Io,
            Self::Refused { .. } if is_full(self) => Exit::Io,
            Self::Permission { .. } => Exit::Permission,
            Self::BadUrl { .. }
            | Self::OddPath { .. }
            | Self::UnknownChoice { .. }
            | Self::MissingVariable { .. } => Exit::Usage,
            Self::TooManySides { .. } | Self::NoSide { .. } => Exit::Software,
            _ => Exit::Unavailable,
        }
    }

    /// The error for a failed file operation, by its kind.
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path }
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { path }
            }
            _ => Self::Io { what, path, source },
        }
    }

    /// The error for a statement that an engine refused.
    pub(crate) fn refused<E: std::fmt::Display>(
        engine: &'static str,
        what: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self::Refused {
            engine,
            what,
            reason: error.to_string(),
        }
    }
}

/// Whether an error, or what it comes from, says that a disk is full.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let full = ["No space left on device", "NOT_ENOUGH_SPACE"];
    causes.any(|cause| full.iter().any(|words| cause.to_string().contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_and_is_damaged_is_no_engine_that_cannot_be_had() {
        let damaged = Error::Damaged {
            what: "the world".to_owned(),
            path: "world".into(),
            words: "a file is missing".to_owned(),
        };
        assert_eq!(damaged.exit(), Exit::Data);
    }
}
