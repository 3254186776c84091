//! Engines in Docker containers.

/// Removes the containers that carry a label.
pub(crate) fn remove_labelled(_label: &str) {}
