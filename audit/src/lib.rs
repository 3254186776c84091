//! The audit as data, the evidence, the statistics and the rules for verdicts.
//!
//! Nothing here talks to an engine or to the file system.

pub mod evidence;
pub mod verdict;

pub use verdict::Verdict;
