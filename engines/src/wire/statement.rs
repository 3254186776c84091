//! A statement on its way.

/// A statement as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text.
    pub text: String,
    /// The types that the client declares for `$1`, `$2`, ..., by PostgreSQL's numbers; those
    /// that it leaves open are 0 or missing.
    pub parameter_types: Vec<u32>,
}
