//! Where a call is looked at.

use std::fmt;

use serde::Serialize;

/// A call at a rung.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The item.
    pub item: String,
    /// Its operation.
    pub operation: String,
    /// The rung.
    pub n: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.item, self.operation, self.n)
    }
}
