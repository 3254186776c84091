//! What can go wrong in a trial, apart from what the trial is there to find.

use verdict_audit::exit::Exit;
use verdict_audit::{CatalogueError, NameError};
use verdict_oracle::Difference;
use verdict_store::{Fault, Refusal};

/// A result of the harness itself.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a trial could not be held.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An engine could not be started, reached or stopped.
    #[error(transparent)]
    Engines(#[from] verdict_engines::Error),
    /// The world could not be loaded or summed up.
    #[error(transparent)]
    World(#[from] verdict_seed::Error),
    /// An engine refused a statement of the harness itself, or is away.
    #[error(transparent)]
    Store(#[from] verdict_store::Error),
    /// The code and the audit's catalogue contradict each other.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// An operation or a variant has a name that no catalogue could have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An item does not begin with the baseline, or has a name twice.
    #[error("{0} must list its baseline first, and each variant and operation once")]
    Misordered(&'static str),
    /// An optimized change has no steps that take it back.
    #[error("the optimized change of {0} has no steps down: a deploy could not be rolled back")]
    NoWayBack(&'static str),
    /// An operation leaves out what its answers are told right by.
    #[error("{operation} of {item} must have {lacks}")]
    Unsaid {
        /// The item's id.
        item: &'static str,
        /// The operation.
        operation: &'static str,
        /// What is left out.
        lacks: &'static str,
    },
    /// A change that was applied could not be taken back by its own steps.
    #[error(
        "failed to take the change of {variant} of {item} back: {source}; \
         please report this as a bug of Verdict"
    )]
    NotTakenBack {
        /// The item's id.
        item: &'static str,
        /// The variant.
        variant: String,
        /// Why.
        source: Refusal,
    },
    /// An engine refused a step of a change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What an item stands on could not be put down.
    #[error(
        "failed to put down what {item} stands on: {source}; please report this as a bug of Verdict"
    )]
    NoGround {
        /// The item's id.
        item: &'static str,
        /// Why.
        source: Refusal,
    },
    /// Fixes stand in each other's way, or leave something behind.
    #[error("the fixes do not live together: {0}")]
    Apart(Difference),
    /// A trial did not leave the world as it found it.
    #[error(
        "the trial of {item} left {table} changed: {before} before, {after} after; \
         its figures are void, please report this as a bug of Verdict"
    )]
    WorldChanged {
        /// The item's id.
        item: &'static str,
        /// The table.
        table: String,
        /// Rows and checksum before.
        before: String,
        /// Rows and checksum after.
        after: String,
    },
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Harness(error) => Self::Store(error),
            Fault::Variant(refusal) => Self::Refused(refusal),
        }
    }
}

impl Error {
    /// [`Self::Apart`], in words.
    pub(crate) fn apart(words: impl Into<String>) -> Self {
        Self::Apart(Difference(words.into()))
    }

    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Engines(error) => error.exit(),
            Self::World(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Catalogue(_)
            | Self::Name(_)
            | Self::Misordered(_)
            | Self::NoWayBack(_)
            | Self::Unsaid { .. }
            | Self::NotTakenBack { .. }
            | Self::Refused(_)
            | Self::NoGround { .. }
            | Self::Apart(_)
            | Self::WorldChanged { .. } => Exit::Software,
        }
    }
}
