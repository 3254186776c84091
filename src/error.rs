//! Why a command could not do what it was asked. Every error knows the exit code that says so.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use verdict_audit::{CatalogueError, Exit};
use verdict_history::FolderError;
use verdict_reports::gates::GatesError;
use verdict_reports::html::HtmlError;
use verdict_reports::json::JsonError;

/// A result of a command.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Engines could not be had, or put away.
    #[error(transparent)]
    Engines(#[from] verdict_engines::Error),
    /// An engine died.
    #[error("{0}; nothing was written, and earlier results stand: run again")]
    Dead(verdict_engines::Death),
    /// A trial could not be held.
    #[error(transparent)]
    Trial(#[from] verdict_scenarios::Error),
    /// A side could not be reached or changed.
    #[error(transparent)]
    Store(#[from] verdict_store::Error),
    /// The service could not be had.
    #[error(transparent)]
    Service(#[from] verdict_service::Error),
    /// A load could not be driven.
    #[error(transparent)]
    Load(#[from] verdict_load::Error),
    /// A server of the user's could not be read.
    #[error(transparent)]
    Monitor(#[from] verdict_monitor::Error),
    /// What is no URL of a server.
    #[error(
        "{flag} is not a URL that can be used: it must have the form {form}, with special characters percent-encoded"
    )]
    BadUrl {
        /// Where it was given.
        flag: &'static str,
        /// What would be right.
        form: &'static str,
    },
    /// The audit has no such item.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// An item that the audit has and nobody tries yet.
    #[error("item {0} is not on trial yet: `verdict list` says which are")]
    NotOnTrial(String),
    /// Results could not be read or written.
    #[error(transparent)]
    Results(#[from] JsonError),
    /// Gates could not be had.
    #[error(transparent)]
    Gates(#[from] GatesError),
    /// Gates were to be written where there is a file.
    #[error("{0} is there already: name another file by --to, or take it away first")]
    AlreadyThere(PathBuf),
    /// Words of a gate cannot be written as XML.
    #[error("gates cannot be written as JUnit XML: {0}")]
    Junit(String),
    /// Runs could not be kept or read.
    #[error(transparent)]
    History(#[from] FolderError),
    /// A run was to be held against another one of another kind.
    #[error(
        "these runs are not alike ({0}): their figures say as much about that as about the code; --anyway compares them all the same"
    )]
    NotAlike(String),
    /// There is no run that was broken off.
    #[error("no run was broken off here ({0} has none): run without --resume")]
    NothingToResume(PathBuf),
    /// The run that was broken off is not the one that was asked for.
    #[error(
        "the run that was broken off cannot go on: {0}; ask for the same, or run without --resume"
    )]
    CannotResume(String),
    /// The report could not be written.
    #[error(transparent)]
    Report(#[from] HtmlError),
    /// There is nowhere to write results.
    #[error(
        "results cannot be written to {folder}: make it yours, or name a folder that is, by --output or CARGO_TARGET_DIR: {source}"
    )]
    Output {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The address to serve on cannot be had.
    #[error("failed to listen on {address}: choose another --listen: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// A bench's filter is no regular expression.
    #[error("the filter is no regular expression: {0}")]
    Filter(#[from] regex::Error),
    /// A bench's filter that no bench has.
    #[error("no bench matches {0:?}: `cargo bench -- --list` shows all")]
    NoSuchBench(String),
    /// A word that names nothing that is tried.
    #[error("nothing here is called {word:?}: there are {there}")]
    NoSuchPart {
        /// The word.
        word: String,
        /// What there is.
        there: String,
    },
    /// An environment variable that takes a flag's place is wrong.
    #[error(transparent)]
    Variables(#[from] clap::Error),
    /// More requests at once than the system lets a process have connections.
    #[error(
        "{requests} requests at once need {needed} open files, and a process may have {limit} \
         here: raise the limit (`ulimit -n {needed}`), or ask for less, so that {most} are under \
         way at most (one of each user; at a rate, all that arrive in a window)"
    )]
    TooManyAtOnce {
        /// How many the load that was asked for comes to.
        requests: u32,
        /// Files that a process of the load has open with them.
        needed: u64,
        /// Files that a process may have open.
        limit: u64,
        /// How many there can be.
        most: u64,
    },
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Engines(error) => error.exit(),
            Self::Trial(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Service(error) => error.exit(),
            Self::Load(error) => error.exit(),
            Self::Monitor(error) => error.exit(),
            Self::Catalogue(error) => error.exit(),
            Self::NotOnTrial(_)
            | Self::BadUrl { .. }
            | Self::Filter(_)
            | Self::NoSuchBench(_)
            | Self::NoSuchPart { .. }
            | Self::Variables(_)
            | Self::TooManyAtOnce { .. } => Exit::Usage,
            Self::Results(error) => error.exit(),
            Self::Gates(error) => error.exit(),
            Self::AlreadyThere(_) => Exit::Usage,
            Self::Junit(_) => Exit::Software,
            Self::History(error) => error.exit(),
            Self::NotAlike(_) => Exit::CannotJudge,
            Self::NothingToResume(_) => Exit::NoInput,
            Self::CannotResume(_) => Exit::Usage,
            Self::Report(error) => error.exit(),
            Self::Output { source, .. } => match Exit::of_io(source) {
                // A folder that cannot be made is not one that was given.
                Exit::NoInput => Exit::Io,
                exit => exit,
            },
            Self::Dead(_) | Self::Listen { .. } => Exit::Unavailable,
            Self::Io(error) => Exit::of_io(error),
        }
    }
}
