//! What a variant changes in the schema, and how the change is taken back.

/// The two directions of a schema change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Applies the change. Safe on a populated database.
    pub up: &'static str,
    /// Takes it back, to the same schema and the same rows.
    pub down: &'static str,
}
