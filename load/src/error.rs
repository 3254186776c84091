//! What can go wrong with a load run, apart from what it is there to find.

use std::time::Duration;

use verdict_audit::Exit;
use verdict_audit::evidence::SCHEMA;

use crate::flows::Lacking;

/// A result of the load generator itself.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a load run, or a merge of several, could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan asks for nothing.
    #[error("the plan has no {what}: name at least one")]
    EmptyPlan {
        /// What it lacks.
        what: &'static str,
    },
    /// The plan asks for something that cannot be.
    #[error("{what} cannot be measured: choose {choose}")]
    Senseless {
        /// What was asked for.
        what: String,
        /// What would do.
        choose: &'static str,
    },
    /// The world has not what a flow asks for.
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// The address of a service is none.
    #[error("the target cannot be used: {reason}; give one such as http://127.0.0.1:8080")]
    BadTarget {
        /// Why.
        reason: String,
    },
    /// Nothing answers where the service should be.
    #[error(
        "no service answers at {url} ({reason}): start it with `verdict serve`, or give another --target"
    )]
    NoService {
        /// Where.
        url: String,
        /// The client's own words.
        reason: String,
    },
    /// The service takes requests and does not answer them.
    #[error(
        "the service at {url} is given up: requests had no whole answer within {patience:?} each, one after the other; \
         see what it waits for, or give another --target"
    )]
    Silent {
        /// Where.
        url: String,
        /// How long each was waited for.
        patience: Duration,
    },
    /// The service answers nobody any more.
    #[error(
        "the service at {url} has stood still for {patience:?}: see whether it was stopped and what it waits for, \
         or give another --target"
    )]
    StandsStill {
        /// Where.
        url: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The service is too slow, or fails too slowly, for anything to be measured of it.
    #[error(
        "the service at {url} is given up: it takes minutes over the few hundred requests, one after the other, that \
         come before any load; see what it waits for, or give another --target"
    )]
    Slow {
        /// Where.
        url: String,
    },
    /// The HTTP client could not be made.
    #[error("failed to make an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// goose refused its configuration or broke off.
    #[error("goose failed in the {flow} flow at {users} users: {reason}")]
    Goose {
        /// The flow.
        flow: String,
        /// The users.
        users: u32,
        /// goose's own words.
        reason: String,
    },
    /// A file or folder for artefacts could not be made.
    #[error("failed to make {path} for goose's reports: {source}")]
    Artefacts {
        /// Which.
        path: String,
        /// The system's own words.
        source: std::io::Error,
    },
    /// What was sent could not be read back, or taken back.
    #[error(transparent)]
    Database(verdict_store::Error),
    /// The service's cache could not be had.
    #[error("no way to the service's cache: {reason}")]
    NoCache {
        /// Redis's own words.
        reason: String,
    },
    /// A histogram could not be written.
    #[error("failed to write the histogram of {row}: {reason}")]
    Unwritable {
        /// Flow, side and level.
        row: String,
        /// The library's own words.
        reason: String,
    },
    /// A histogram of a file could not be used.
    #[error(
        "failed to {what} the histogram of {row}: {reason}; the file is damaged, take a whole one"
    )]
    Histogram {
        /// What was being done, as a verb.
        what: &'static str,
        /// Flow, side and level.
        row: String,
        /// The library's own words.
        reason: String,
    },
    /// Ctrl-C.
    #[error("interrupted: what was sent is taken back, the figures so far are dropped")]
    Interrupted,
    /// No results to merge.
    #[error("no results to merge: name two or more results.json")]
    NothingToMerge,
    /// Results of a run without load.
    #[error(
        "number {number}, the run {id}, put no flow under load, so there is nothing of it to add: name what \
         `verdict load` wrote on each generator"
    )]
    NoLoad {
        /// The run.
        id: String,
        /// Which of the files, from 1.
        number: usize,
    },
    /// Results of another version of Verdict.
    #[error(
        "results of schema {found} cannot be merged with schema {SCHEMA}: run both with the same version of Verdict"
    )]
    OtherSchema {
        /// The schema found.
        found: u32,
    },
    /// The same results a second time.
    #[error(
        "number {number} is the run {id}, as one before it is: a run is not added to itself; name each generator's own results"
    )]
    Twice {
        /// The run.
        id: String,
        /// Which of the files, from 1.
        number: usize,
    },
    /// Results that do not belong together.
    #[error(
        "results do not belong together: {what} is {ours} in the first and {theirs} in number {number}; \
         merge what generators with the same options measured of one service at one time"
    )]
    Strangers {
        /// What differs.
        what: String,
        /// In the first results.
        ours: String,
        /// In the other.
        theirs: String,
        /// Which other, from 1.
        number: usize,
    },
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::EmptyPlan { .. }
            | Self::Senseless { .. }
            | Self::BadTarget { .. }
            | Self::NothingToMerge
            | Self::Lacking(_) => Exit::Usage,
            Self::NoService { .. }
            | Self::Silent { .. }
            | Self::StandsStill { .. }
            | Self::NoCache { .. }
            | Self::Slow { .. } => Exit::Unavailable,
            Self::Database(error) => error.exit(),
            Self::Artefacts { source, .. } => Exit::of_io(source),
            Self::OtherSchema { .. }
            | Self::NoLoad { .. }
            | Self::Strangers { .. }
            | Self::Twice { .. }
            | Self::Histogram { .. } => Exit::Data,
            Self::Interrupted => Exit::Interrupted,
            Self::Client(_) | Self::Goose { .. } | Self::Unwritable { .. } => Exit::Software,
        }
    }
}
