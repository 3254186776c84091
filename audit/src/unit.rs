//! What figures are given in.

use serde::{Deserialize, Serialize};

/// What a figure is given in. Never parsed back from words: words are made where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// So many.
    Count,
    /// Bytes.
    Bytes,
    /// Bytes for each call.
    BytesPerCall,
    /// So many for each call.
    CountPerCall,
    /// 10⁻⁶ s.
    Microseconds,
    /// Seconds.
    Seconds,
}
