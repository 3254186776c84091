//! Verdict.
fn main() {}
