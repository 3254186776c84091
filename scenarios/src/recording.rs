//! What was recorded of a pair: every call's time, by side and block.

use std::time::Duration;

use hdrhistogram::Histogram;
use verdict_audit::evidence::Latency;
use verdict_audit::quantile::{Unit, percentiles};
use verdict_audit::ratio::{Block, ratio};
use verdict_audit::{At, OperationName};

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampled {
    /// Today.
    Baseline,
    /// The variant.
    Variant,
}

impl Sampled {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Baseline => Self::Variant,
            Self::Variant => Self::Baseline,
        }
    }
}

/// Blocks are put together until a side has so many calls, so that a stretch has a 95th
/// percentile.
const CALLS_FOR_A_TAIL: u64 = 100;

/// The calls of one side.
struct Times {
    all: Histogram<u64>,
    block_ns: u64,
    block_calls: u64,
    stretch: Histogram<u64>,
}

impl Default for Times {
    fn default() -> Self {
        let histogram = || {
            #[expect(
                clippy::expect_used,
                reason = "three digits are always a valid precision"
            )]
            Histogram::new(3).expect("a histogram of three significant digits")
        };
        Self {
            all: histogram(),
            block_ns: 0,
            block_calls: 0,
            stretch: histogram(),
        }
    }
}

/// What was recorded of a pair.
#[derive(Default)]
pub struct Recording {
    baseline: Times,
    variant: Times,
    blocks: Vec<Block>,
    /// The 95th percentiles of both sides, stretch by stretch.
    tails: Vec<Block>,
}

impl Recording {
    /// Records a call.
    pub fn record(&mut self, side: Sampled, took: Duration) {
        let times = match side {
            Sampled::Baseline => &mut self.baseline,
            Sampled::Variant => &mut self.variant,
        };
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // The histograms grow as they must; only a value beyond 2^63 is refused.
        let _ = times.all.record(nanoseconds);
        let _ = times.stretch.record(nanoseconds);
        times.block_ns += nanoseconds;
        times.block_calls += 1;
    }

    /// Ends a block, unless one side is still missing from it.
    pub fn close_block(&mut self) {
        let (baseline, variant) = (&mut self.baseline, &mut self.variant);
        if baseline.block_calls > 0 && variant.block_calls > 0 {
            self.blocks.push(Block {
                baseline_ns: std::mem::take(&mut baseline.block_ns),
                baseline_calls: std::mem::take(&mut baseline.block_calls),
                variant_ns: std::mem::take(&mut variant.block_ns),
                variant_calls: std::mem::take(&mut variant.block_calls),
            });
        }
        if baseline.stretch.len().min(variant.stretch.len()) >= CALLS_FOR_A_TAIL {
            self.tails.push(Block {
                baseline_ns: baseline.stretch.value_at_quantile(0.95),
                baseline_calls: 1,
                variant_ns: variant.stretch.value_at_quantile(0.95),
                variant_calls: 1,
            });
            baseline.stretch.reset();
            variant.stretch.reset();
        }
    }

    /// The evidence; `None` when nothing was recorded of the variant, as when its bench was
    /// filtered out. Without enough blocks of both sides there is no ratio.
    pub fn latency(&self, operation: &OperationName, at: At, seed: u64) -> Option<Latency> {
        if self.variant.all.is_empty() {
            return None;
        }
        let of = |times: &Times| percentiles(&times.all, Unit::Nanoseconds);
        Some(Latency {
            operation: operation.clone(),
            at,
            baseline: (!self.baseline.all.is_empty()).then(|| of(&self.baseline)),
            variant: of(&self.variant),
            ratio: ratio(&self.blocks, seed).ok(),
            p95_ratio: ratio(&self.tails, seed).ok(),
            blocks: self.blocks.len(),
            measured_round_trip_us: None,
        })
    }

    /// Calls recorded of a side.
    #[cfg(test)]
    pub fn calls(&self, side: Sampled) -> u64 {
        match side {
            Sampled::Baseline => self.baseline.all.len(),
            Sampled::Variant => self.variant.all.len(),
        }
    }

    /// Nanoseconds of all closed blocks, by side.
    #[cfg(test)]
    pub fn time(&self) -> (u64, u64) {
        let sum = |of: fn(&Block) -> u64| self.blocks.iter().map(of).sum::<u64>();
        (
            sum(|block| block.baseline_ns),
            sum(|block| block.variant_ns),
        )
    }
}
