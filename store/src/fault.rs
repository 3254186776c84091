//! Two things that must never be one type: what a variant answered, and what the harness could
//! not do.

use std::time::Duration;

use verdict_audit::Exit;
use verdict_baseline::Error as OperationError;

use crate::engine::Engine;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The variant's own: the engine ran and refused. This is evidence.
    #[error(transparent)]
    Variant(#[from] Refusal),
    /// The harness's: nothing is known about the variant.
    #[error(transparent)]
    Harness(#[from] Error),
}

/// Why a variant has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was refused, in the engine's own words.
    #[error("{0}")]
    Refused(String),
    /// Its pool had no connection to give in time.
    #[error("{0}")]
    TimedOut(String),
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
    /// The engine has no room, or lost what it had stored.
    #[error(
        "{engine} cannot go on while the harness tried to {what}: {words}; \
         see that its disk and memory have room"
    )]
    Broken {
        /// Which.
        engine: Engine,
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// Its own words.
        words: String,
    },
    /// A call had no answer for so long that it was given up.
    #[error(
        "a call had no answer within {0:?}: an engine is stopped, or waits for a lock that nobody gives up"
    )]
    NoAnswer(Duration),
    /// Merges went on although they were told to stop.
    #[error(
        "ClickHouse still merges {tables} {waited:?} after it was told to stop: see \
         system.merges for how far they are and whether its disk is stuck, and try again when \
         they have ended"
    )]
    StillMerging {
        /// Of which tables.
        tables: String,
        /// How long they were waited for.
        waited: Duration,
    },
    /// An item was asked for a variant that it does not have.
    #[error("no variant {0} in this item: please report this as a bug of Verdict")]
    NoSuchVariant(String),
    /// An operation was called at a rung whose part of the world ClickHouse does not have.
    #[error("no part of {0} events in ClickHouse: please report this as a bug of Verdict")]
    NoSuchRung(u64),
    /// Tables could not be given back as the world has them.
    #[error("failed to give tables back as the world has them: {0}")]
    NotRenewed(String),
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Gone { .. } | Self::NoAnswer(_) | Self::StillMerging { .. } => Exit::Unavailable,
            Self::Broken { .. } => Exit::Io,
            Self::Refused { .. }
            | Self::NoSuchVariant(_)
            | Self::NoSuchRung(_)
            | Self::NotRenewed(_) => Exit::Software,
        }
    }
}

/// Who is at fault when something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The statement: the engine ran and refused it.
    Statement,
    /// The pool, which had no connection to give in time.
    Pool,
    /// The engine, which is away.
    Gone,
    /// The engine, which is there and has no room, or lost what it had stored.
    Broken,
}

/// What an engine's client says when something goes wrong.
pub trait EngineError: std::fmt::Display {
    /// Which engine's.
    const ENGINE: Engine;

    /// Who is at fault.
    fn blame(&self) -> Blame;

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
        match self.blame() {
            Blame::Gone => Error::Gone {
                engine,
                what,
                words,
            },
            Blame::Broken => Error::Broken {
                engine,
                what,
                words,
            },
            Blame::Statement | Blame::Pool => Error::Refused {
                engine,
                what,
                words,
            },
        }
    }

    /// The fault of a statement of a variant's.
    fn fault(self) -> Fault
    where
        Self: Sized,
    {
        match self.blame() {
            Blame::Statement => Fault::Variant(Refusal::Refused(self.words())),
            Blame::Pool => Fault::Variant(Refusal::TimedOut(self.words())),
            Blame::Gone | Blame::Broken => Fault::Harness(self.harness("call a variant")),
        }
    }
}

impl EngineError for sqlx::Error {
    const ENGINE: Engine = Engine::Postgres;

    fn blame(&self) -> Blame {
        match self {
            Self::Io(_) | Self::WorkerCrashed | Self::PoolClosed => Blame::Gone,
            Self::PoolTimedOut => Blame::Pool,
            Self::Database(database) => {
                let code = database.code().unwrap_or_default();
                match &*code {
                    // The server is shutting down, was ended, or is not up yet.
                    code if code.starts_with("57P") => Blame::Gone,
                    // No disk, no memory; a file that cannot be read; a page that is damaged.
                    "53100" | "53200" | "XX001" | "XX002" => Blame::Broken,
                    code if code.starts_with("58") => Blame::Broken,
                    _ => Blame::Statement,
                }
            }
            _ => Blame::Statement,
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

    fn blame(&self) -> Blame {
        // NOT_ENOUGH_SPACE, CANNOT_WRITE_TO_FILE_DESCRIPTOR; CHECKSUM_DOESNT_MATCH,
        // CANNOT_READ_ALL_DATA, NO_FILE_IN_DATA_PART, CORRUPTED_DATA, CANNOT_DECOMPRESS; and the
        // whole server's memory rather than one query's.
        const BROKEN: [&str; 8] = [
            "Code: 243.",
            "Code: 75.",
            "Code: 40.",
            "Code: 33.",
            "Code: 226.",
            "Code: 246.",
            "Code: 271.",
            "(total) memory limit exceeded",
        ];
        match self {
            Self::Network(_) | Self::TimedOut => Blame::Gone,
            Self::BadResponse(words) if BROKEN.iter().any(|broken| words.contains(broken)) => {
                Blame::Broken
            }
            _ => Blame::Statement,
        }
    }
}

impl EngineError for redis::RedisError {
    const ENGINE: Engine = Engine::Redis;

    fn blame(&self) -> Blame {
        let code = self.code().unwrap_or_default();
        // A slow answer is the variant's affair, and no sign of a server that is gone.
        if (self.is_io_error() || self.is_connection_dropped()) && !self.is_timeout() {
            Blame::Gone
        } else if ["OOM", "MISCONF"].contains(&code) {
            Blame::Broken
        } else {
            Blame::Statement
        }
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
            OperationError::Refused(refused) => {
                Self::Variant(Refusal::Refused(refused.to_string()))
            }
            OperationError::Postgres(error) => error.fault(),
            OperationError::ClickHouse(error) => error.fault(),
            OperationError::Redis(error) => error.fault(),
            OperationError::Json(error) => Self::Variant(Refusal::Refused(error.to_string())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_a_connection_is_the_variants_and_an_engine_without_room_is_nobodys() {
        let fault = Fault::from(sqlx::Error::PoolTimedOut);
        assert!(matches!(fault, Fault::Variant(Refusal::TimedOut(_))));
        let full = clickhouse::error::Error::BadResponse(
            "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space".to_owned(),
        );
        let Fault::Harness(error) = Fault::from(full) else {
            panic!("a full disk is no verdict");
        };
        assert_eq!(error.exit(), Exit::Io);
        let unknown = clickhouse::error::Error::BadResponse(
            "Code: 60. DB::Exception: Unknown table expression".to_owned(),
        );
        assert!(matches!(
            Fault::from(unknown),
            Fault::Variant(Refusal::Refused(_))
        ));
        let lost = redis::RedisError::from(std::io::Error::other("reset"));
        let Fault::Harness(error) = Fault::from(lost) else {
            panic!("a lost connection is no verdict");
        };
        assert_eq!(error.exit(), Exit::Unavailable);
    }
}
