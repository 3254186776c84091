//! Verdict puts a database performance audit on trial: every finding run both ways, as it is
//! today and fixed, on a seeded world and real engines, answered with evidence.
//!
//! This crate is the command line. What it does is in the crates beside it, in the order in
//! which data flows: `engines`, `seed`, `scenarios` (calling `baseline` and `optimized`),
//! `audit`, `reports`.

pub mod budget;
pub mod cli;
pub mod commands;
pub mod error;
pub mod estimate;
pub mod exit;
pub mod facts;
pub mod file_limit;
pub mod filter;
pub mod finish;
pub mod load;
pub mod monitor;
pub mod on_trial;
pub mod past;
pub mod paths;
pub mod progress;
pub mod run;
pub mod streams;
pub mod unfinished;
pub mod world;

pub use cli::Cli;
