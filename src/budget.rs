//! What there is for a cell, by depth.

use std::time::Duration;

use criterion::Criterion;
use verdict_scenarios::session::Depth;

/// What there is for a cell.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// How long it may be measured.
    pub measurement: Duration,
    /// In how many rounds.
    pub rounds: usize,
    resamples: usize,
}

/// What a depth has for a cell.
pub fn budget(depth: Depth) -> Budget {
    let (seconds, rounds, resamples) = match depth {
        Depth::Full => (4, 20, 100_000),
        Depth::Quick => (1, 10, 2_000),
    };
    Budget {
        measurement: Duration::from_secs(seconds),
        rounds,
        resamples,
    }
}

/// Criterion set to sample for as long as the depth allows; its command line may say otherwise.
pub fn criterion(depth: Depth) -> Criterion {
    let budget = budget(depth);
    Criterion::default()
        .without_plots()
        .measurement_time(budget.measurement)
        .sample_size(budget.rounds)
        .nresamples(budget.resamples)
}
