//! Tests on real engines, which are started once for all of them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says where it failed"
)]

mod cache;
mod cache_hits;
mod cache_outages;
mod command_line;
mod common;
mod court;
mod engines;
mod engines_elsewhere;
mod faults;
mod feed_job;
mod figures;
mod honesty;
mod load;
mod load_mix;
mod load_sabotage;
mod load_stall;
mod merges;
mod monitor;
mod mutants;
mod own_gates;
mod past_runs;
mod pool;
mod pool_restarted;
mod relay;
mod resumed;
mod rungs;
mod sabotage;
mod service;
mod shape;
mod sides;
mod stumbling;
mod together;
mod trials;
mod world;
mod writes;
mod zeros;
