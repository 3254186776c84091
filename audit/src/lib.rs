//! The audit as data, the evidence, the statistics and the rules for verdicts.
