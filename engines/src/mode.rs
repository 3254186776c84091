//! Where the engines in use came from.

use std::fmt;

/// Where the engines in use came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fetched packages, run as processes of our own.
    Embedded,
    /// Docker containers.
    Containers,
    /// Servers of the user's.
    External,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Containers => "containers",
            Self::External => "external",
        })
    }
}
