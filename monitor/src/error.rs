//! Why a server cannot be read at all.

use verdict_audit::Exit;

/// A result of reading a server.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a server cannot be read at all. Messages never hold a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not answer, or stopped to.
    #[error(
        "{server} cannot be reached: {words}; look at the host, the port and the database in its URL"
    )]
    Unreachable {
        /// `PostgreSQL` or `ClickHouse`.
        server: &'static str,
        /// What was heard last.
        words: String,
    },
    /// It lets this user do nothing.
    #[error(
        "{server} lets this user do nothing: {words}; look at the user and the password in its URL"
    )]
    Forbidden {
        /// `PostgreSQL` or `ClickHouse`.
        server: &'static str,
        /// Its own words.
        words: String,
    },
    /// It is older than anything that is read here.
    #[error("PostgreSQL {found} is too old: what it tells is read of 15 and newer")]
    TooOld {
        /// Its version.
        found: String,
    },
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Forbidden { .. } => Exit::Permission,
            Self::Unreachable { .. } | Self::TooOld { .. } => Exit::Unavailable,
        }
    }
}
