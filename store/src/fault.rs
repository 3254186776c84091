//! Two things that must never be one type: what a variant answered, and what the harness could
//! not do.

use verdict_baseline::Error as OperationError;

use crate::engine::Engine;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The variant's own: the engine ran and refused, in the engine's words. This is evidence.
    #[error("{0}")]
    Variant(String),
    /// The harness's: nothing is known about the variant.
    #[error(transparent)]
    Harness(#[from] Error),
}

/// What the harness could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine is away.
    #[error("{engine} is gone while the harness tried to {what}: {words}")]
    Gone {
        /// Which.
        engine: Engine,
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// What was heard of it last.
        words: String,
    },
    /// The engine refused a statement of the harness's own.
    #[error("failed to {what}: {engine} says: {words}")]
    Refused {
        /// Which.
        engine: Engine,
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// Its own words.
        words: String,
    },
    /// An item was asked for a variant that it does not have.
    #[error("no variant {0} in this item: please report this as a bug of Verdict")]
    NoSuchVariant(String),
    /// Tables could not be given back as the world has them.
    #[error("failed to give tables back as the world has them: {0}")]
    NotRenewed(String),
}

impl Error {
    /// Whether an engine is away, rather than unwilling.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}

/// What an engine's client says when something goes wrong.
pub trait EngineError: std::fmt::Display {
    /// Which engine's.
    const ENGINE: Engine;

    /// Whether the server, rather than the statement, is at fault.
    fn is_gone(&self) -> bool;

    /// What the engine said, without what the client says about it.
    fn words(&self) -> String {
        self.to_string()
    }

    /// The error of a statement of the harness's own; `what` is a verb phrase.
    fn harness(self, what: &'static str) -> Error
    where
        Self: Sized,
    {
        let (engine, words) = (Self::ENGINE, self.words());
        if self.is_gone() {
            Error::Gone {
                engine,
                what,
                words,
            }
        } else {
            Error::Refused {
                engine,
                what,
                words,
            }
        }
    }

    /// The fault of a statement of a variant's.
    fn fault(self) -> Fault
    where
        Self: Sized,
    {
        if self.is_gone() {
            Fault::Harness(self.harness("call a variant"))
        } else {
            Fault::Variant(self.words())
        }
    }
}

impl EngineError for sqlx::Error {
    const ENGINE: Engine = Engine::Postgres;

    fn is_gone(&self) -> bool {
        match self {
            // A pool that has no connection to give in time is a finding about the pool.
            Self::Io(_) | Self::WorkerCrashed | Self::PoolClosed => true,
            // Class 57P: the server is shutting down, was ended, or is not up yet.
            Self::Database(database) => database.code().is_some_and(|code| code.starts_with("57P")),
            _ => false,
        }
    }

    fn words(&self) -> String {
        match self.as_database_error() {
            Some(database) => format!("PostgreSQL: {}", database.message()),
            None => self.to_string(),
        }
    }
}

impl EngineError for clickhouse::error::Error {
    const ENGINE: Engine = Engine::ClickHouse;

    fn is_gone(&self) -> bool {
        matches!(self, Self::Network(_) | Self::TimedOut)
    }
}

impl EngineError for redis::RedisError {
    const ENGINE: Engine = Engine::Redis;

    fn is_gone(&self) -> bool {
        self.is_io_error() || self.is_connection_dropped()
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        error.fault()
    }
}

impl From<clickhouse::error::Error> for Fault {
    fn from(error: clickhouse::error::Error) -> Self {
        error.fault()
    }
}

impl From<redis::RedisError> for Fault {
    fn from(error: redis::RedisError) -> Self {
        error.fault()
    }
}

impl From<OperationError> for Fault {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Refused(refused) => Self::Variant(refused.to_string()),
            OperationError::Postgres(error) => error.fault(),
        }
    }
}

/// Names what a statement of the harness was for.
pub trait Doing<T> {
    /// `what` is a verb phrase: `count the rows of messages`.
    ///
    /// # Errors
    /// The engine's error, as the harness's.
    fn doing(self, what: &'static str) -> Result<T, Error>;
}

impl<T, E: EngineError> Doing<T> for Result<T, E> {
    fn doing(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|error| error.harness(what))
    }
}
