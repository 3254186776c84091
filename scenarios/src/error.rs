//! What can go wrong in a trial, apart from what the trial is there to find.

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
    /// PostgreSQL refused a statement of the harness itself.
    #[error("failed to {what}: {source}")]
    Postgres {
        /// What the statement was for, as a verb phrase.
        what: &'static str,
        /// PostgreSQL's own words.
        source: sqlx::Error,
    },
    /// A side answered an error where the trial had shown that it runs.
    #[error("{variant} of {item} stopped running in the middle of its trial: {source}")]
    Stopped {
        /// The item's id.
        item: &'static str,
        /// The variant.
        variant: String,
        /// What it answered.
        source: verdict_baseline::Error,
    },
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
    /// The statistics refused the sample.
    #[error("failed to summarize {what}: {reason}")]
    Statistics {
        /// What was being summarized.
        what: String,
        /// The refusal.
        reason: String,
    },
}

/// Names what a statement of the harness was for.
pub(crate) trait Doing<T> {
    /// `what` is a verb phrase: `count the rows of messages`.
    fn doing(self, what: &'static str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, sqlx::Error> {
    fn doing(self, what: &'static str) -> Result<T> {
        self.map_err(|source| Error::Postgres { what, source })
    }
}
