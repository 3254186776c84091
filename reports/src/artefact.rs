//! Files that are kept beside the report.

/// A file kept beside the report, such as the load generator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// What it is called on the page.
    pub title: String,
    /// Where it is, relative to the page.
    pub href: String,
}
