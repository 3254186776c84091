//! What was timed of a pair at one place.

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::estimate::Ratio;
use crate::names::OperationName;

/// Latency of a pair at one place, both sides in the same minutes of the same machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The operation.
    pub operation: OperationName,
    /// Where.
    pub at: At,
    /// Today; absent where today does not run.
    pub baseline: Option<Percentiles>,
    /// The variant.
    pub variant: Percentiles,
    /// Baseline ÷ variant of the typical call, over rounds; absent where today does not run, or
    /// was called in too few rounds. Taken from [`Self::zero`] where there is one.
    pub ratio: Option<Ratio>,
    /// Baseline ÷ variant of the 95th percentile, over rounds. Taken from [`Self::p95_zero`].
    pub p95_ratio: Option<Ratio>,
    /// Rounds behind the ratio, each with connections of its own on both sides.
    pub rounds: usize,
    /// Percentiles behind the ratio of the 95th: one of each round, or of several in a row where
    /// one has too few calls.
    pub p95_rounds: usize,
    /// How long the rounds took, seconds.
    pub seconds: f64,
    /// Where the sides are two copies of a database: today's call on one ÷ today's call on the
    /// other, before anything was changed. The ratio is taken from there.
    pub zero: Option<Zero>,
    /// The same of the 95th percentile.
    pub p95_zero: Option<Zero>,
    /// How far apart copies of the database may be without anything to take it from, as a share:
    /// where a change has written a table anew. No verdict rests on less.
    pub floor: f64,
    /// The ratio with the interval that a verdict on it rests on: at the level at which the ratios
    /// of the run are judged together, the floor included.
    pub judged: Option<Ratio>,
    /// The same of the 95th percentile.
    pub p95_judged: Option<Ratio>,
    /// The smallest effect that would have been told from none, as a share: half of the interval
    /// that a verdict rests on.
    pub smallest_effect: Option<f64>,
    /// Where a claim on the ratio is inconclusive: how much longer would decide.
    pub to_decide: Option<Longer>,
    /// The engines' own time per call.
    pub engine: Option<EngineTime>,
    /// What a round trip to Redis really took, on the line that was asked for where one was,
    /// microseconds.
    pub measured_round_trip_us: Option<f64>,
    /// What a later comparison needs.
    pub recorded: Recorded,
}

impl Latency {
    /// A variant that was called, and nothing more.
    pub fn new(operation: OperationName, at: At, variant: Percentiles) -> Self {
        Self {
            operation,
            at,
            baseline: None,
            variant,
            ratio: None,
            p95_ratio: None,
            rounds: 0,
            p95_rounds: 0,
            seconds: 0.0,
            zero: None,
            p95_zero: None,
            floor: 0.0,
            judged: None,
            p95_judged: None,
            smallest_effect: None,
            to_decide: None,
            engine: None,
            measured_round_trip_us: None,
            recorded: Recorded::default(),
        }
    }

    /// The same with its ratios taken from a zero; without one for the 95th percentile its
    /// interval is as much wider as copies may be apart.
    pub fn taken_from(&self, typical: Zero, p95: Option<Zero>, spread: f64) -> Self {
        let ratio = |ratio: Ratio| ratio.relative_to(typical, self.rounds);
        let tail = |ratio: Ratio| match p95 {
            Some(zero) => ratio.relative_to(zero, self.p95_rounds),
            None => ratio.widened(spread),
        };
        Self {
            ratio: self.ratio.map(ratio),
            p95_ratio: self.p95_ratio.map(tail),
            zero: Some(typical),
            p95_zero: p95,
            ..self.clone()
        }
    }

    /// The zero that its own ratios make for others, of the typical call and of the 95th
    /// percentile.
    pub fn as_zero(&self) -> Option<(Zero, Option<Zero>)> {
        let zero = |ratio, rounds| Zero { ratio, rounds };
        let p95 = self.p95_ratio.map(|ratio| zero(ratio, self.p95_rounds));
        Some((zero(self.ratio?, self.rounds), p95))
    }
}

/// What two copies of a database differ by anyway.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Zero {
    /// Today's call on one ÷ on the other.
    #[serde(flatten)]
    pub ratio: Ratio,
    /// Rounds behind it.
    pub rounds: usize,
}

impl Zero {
    /// How far apart the copies are either way, as a share: 0.03 is 3 %.
    pub fn apart(&self) -> f64 {
        self.ratio.value.ln().abs().exp_m1()
    }
}

/// Percentiles in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Calls recorded.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// How much longer a measurement would have to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Longer {
    /// Rounds in all.
    pub rounds: usize,
    /// Seconds that they would take, at the pace of those that were made.
    pub seconds: f64,
}

/// The engines' own time per call, microseconds, from calls of one side at a time after the
/// rounds: PostgreSQL's planning and execution as pg_stat_statements has them (its own, not that
/// of an implicit commit), and what ClickHouse's summaries say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EngineTime {
    /// Today; absent where today does not run.
    pub baseline_us: Option<f64>,
    /// The variant.
    pub variant_us: f64,
}

/// What both sides came to, round by round and call by call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Today; absent where today does not run.
    pub baseline: Option<SideRecord>,
    /// The variant.
    pub variant: SideRecord,
}

/// What one side came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SideRecord {
    /// The typical call of each round, microseconds.
    pub rounds_us: Vec<f64>,
    /// The 95th percentiles behind their ratio, microseconds.
    pub tails_us: Vec<f64>,
    /// Every call, in nanoseconds: an HDR histogram in the V2 format, base64.
    pub histogram: String,
}
