//! How much is tried.

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Starts of the engines.
    pub starts: usize,
    /// Runs of today against itself on each, every other one beside a busy core.
    pub runs: usize,
    /// Tries of each known slowdown.
    pub tries: usize,
    /// Rounds of each clock.
    pub rounds: usize,
    /// Blocks of calls in such a round.
    pub blocks: usize,
}

impl Plan {
    /// What the bars are set for: 20 runs, up to two hours in all.
    pub const WHOLE: Self = Self {
        starts: 5,
        runs: 4,
        tries: 50,
        rounds: 8,
        blocks: 12,
    };

    /// A try-out of the bench itself.
    pub const SHORT: Self = Self {
        starts: 1,
        runs: 2,
        tries: 2,
        rounds: 2,
        blocks: 3,
    };
}
