//! What was recorded of a pair: every call's time, by side, block and round.

use std::time::Duration;

use hdrhistogram::Histogram;
use verdict_audit::evidence::{Latency, Recorded, SideRecord};
use verdict_audit::histogram;
use verdict_audit::quantile::{Unit, percentiles};
use verdict_audit::ratio::{Block, CALLS_FOR_A_TAIL, ratio};
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

/// The calls of one side.
struct Times {
    all: Histogram<u64>,
    block: Vec<u64>,
    /// Calls since the last 95th percentile was taken.
    since: Vec<u64>,
    /// The typical call of each round.
    typical: Vec<f64>,
    /// The 95th percentiles.
    tails: Vec<f64>,
    /// The typical calls of this round's blocks.
    medians: Vec<f64>,
}

impl Default for Times {
    fn default() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "three digits are always a valid precision"
        )]
        let all = Histogram::new(3).expect("a histogram of three significant digits");
        Self {
            all,
            block: Vec::new(),
            since: Vec::new(),
            typical: Vec::new(),
            tails: Vec::new(),
            medians: Vec::new(),
        }
    }
}

impl Times {
    /// What a later comparison needs.
    fn record(&self) -> SideRecord {
        // To the nanosecond: the rest is noise, and long in a file of text.
        let microseconds = |of: &[f64]| of.iter().map(|ns| ns.round() / 1e3).collect();
        SideRecord {
            rounds_us: microseconds(&self.typical),
            tails_us: microseconds(&self.tails),
            // A count beyond 2^63 alone cannot be written.
            histogram: histogram::encode(&self.all).unwrap_or_default(),
        }
    }

    /// The typical call of the block, which ends.
    fn close_block(&mut self) -> Option<f64> {
        let median = quantile(&mut self.block, 0.5);
        self.since.append(&mut self.block);
        self.medians.extend(median);
        median
    }

    fn close_round(&mut self) {
        if !self.medians.is_empty() {
            let mean = self.medians.iter().sum::<f64>() / self.medians.len() as f64;
            self.typical.push(mean);
            self.medians.clear();
        }
    }

    /// The 95th percentile of the calls since the last one.
    fn take_tail(&mut self) -> Option<f64> {
        let tail = quantile(&mut self.since, 0.95)?;
        self.since.clear();
        self.tails.push(tail);
        Some(tail)
    }
}

fn quantile(times: &mut [u64], share: f64) -> Option<f64> {
    times.sort_unstable();
    let place = ((times.len() as f64 * share) as usize).min(times.len().checked_sub(1)?);
    if share == 0.5 && times.len().is_multiple_of(2) {
        return Some((times[place - 1] + times[place]) as f64 / 2.0);
    }
    Some(times[place] as f64)
}

/// What was recorded of a pair.
#[derive(Default)]
pub struct Recording {
    baseline: Times,
    variant: Times,
    rounds: Vec<Vec<Block>>,
    round: Vec<Block>,
    /// The 95th percentiles of both sides.
    tails: Vec<Vec<Block>>,
    /// How long the rounds took.
    spent: Duration,
}

impl Recording {
    fn times(&mut self, side: Sampled) -> &mut Times {
        match side {
            Sampled::Baseline => &mut self.baseline,
            Sampled::Variant => &mut self.variant,
        }
    }

    /// Records a call.
    pub fn record(&mut self, side: Sampled, took: Duration) {
        let times = self.times(side);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // The histogram grows as it must; only a value beyond 2^63 is refused.
        let _ = times.all.record(nanoseconds);
        times.block.push(nanoseconds);
    }

    /// Ends a block.
    pub fn close_block(&mut self) {
        let (baseline, variant) = (self.baseline.close_block(), self.variant.close_block());
        if let Some((baseline_ns, variant_ns)) = baseline.zip(variant) {
            self.round.push(Block {
                baseline_ns,
                variant_ns,
            });
        }
    }

    /// Ends a round.
    pub fn close_round(&mut self) {
        let sides = [&mut self.baseline, &mut self.variant];
        sides.into_iter().for_each(Times::close_round);
        if [&self.baseline, &self.variant]
            .iter()
            .all(|side| side.since.len() >= CALLS_FOR_A_TAIL)
        {
            let tails = (self.baseline.take_tail(), self.variant.take_tail());
            if let (Some(baseline_ns), Some(variant_ns)) = tails {
                self.tails.push(vec![Block {
                    baseline_ns,
                    variant_ns,
                }]);
            }
        }
        if !self.round.is_empty() {
            self.rounds.push(std::mem::take(&mut self.round));
        }
    }

    /// Adds what a round took.
    pub fn spend(&mut self, took: Duration) {
        self.spent += took;
    }

    /// The typical call of a side in its latest round, or of all its calls before the first
    /// round ended.
    pub fn typical(&self, side: Sampled) -> Duration {
        let times = match side {
            Sampled::Baseline => &self.baseline,
            Sampled::Variant => &self.variant,
        };
        let latest = times.typical.last().copied();
        let nanoseconds = latest.unwrap_or_else(|| times.all.value_at_quantile(0.5) as f64);
        Duration::from_nanos(nanoseconds as u64)
    }

    /// The typical call of today's side, round by round.
    pub fn todays(&self) -> &[f64] {
        &self.baseline.typical
    }

    /// The evidence; `None` when nothing was recorded of the variant. Without enough rounds of
    /// both sides there is no ratio.
    pub fn latency(&self, operation: &OperationName, at: At) -> Option<Latency> {
        if self.variant.all.is_empty() {
            return None;
        }
        let of = |times: &Times| percentiles(&times.all, Unit::Nanoseconds);
        let today = (!self.baseline.all.is_empty()).then_some(&self.baseline);
        Some(Latency {
            baseline: today.map(of),
            ratio: ratio(&self.rounds).ok(),
            p95_ratio: ratio(&self.tails).ok(),
            rounds: self.rounds.len(),
            p95_rounds: self.tails.len(),
            seconds: self.spent.as_secs_f64(),
            recorded: Recorded {
                baseline: today.map(Times::record),
                variant: self.variant.record(),
            },
            ..Latency::new(operation.clone(), at, of(&self.variant))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typical_call_is_the_median_and_one_slow_call_changes_nothing() {
        assert_eq!(quantile(&mut [3, 1, 2], 0.5), Some(2.0));
        assert_eq!(quantile(&mut [1, 2, 3, 1_000], 0.5), Some(2.5));
        assert_eq!(quantile(&mut [], 0.5), None);
        let mut recording = Recording::default();
        for _ in 0..6 {
            for _ in 0..3 {
                for took in [100, 100, 90_000] {
                    recording.record(Sampled::Baseline, Duration::from_nanos(2 * took));
                    recording.record(Sampled::Variant, Duration::from_nanos(took));
                }
                recording.record(Sampled::Variant, Duration::from_nanos(100));
                recording.close_block();
            }
            recording.close_round();
        }
        let name = "spin".parse().unwrap();
        let latency = recording.latency(&name, At::rung(1)).unwrap();
        assert!((latency.ratio.unwrap().value - 2.0).abs() < 1e-9);
        assert_eq!((latency.rounds, latency.p95_ratio), (6, None));
        assert_eq!(
            recording.typical(Sampled::Variant),
            Duration::from_nanos(100)
        );
    }

    #[test]
    fn rounds_of_few_calls_give_a_tail_together() {
        let mut recording = Recording::default();
        for round in 0..13_usize {
            for _ in 0..20 {
                recording.record(Sampled::Baseline, Duration::from_nanos(3_000));
                recording.record(Sampled::Variant, Duration::from_nanos(1_000));
            }
            recording.close_block();
            recording.close_round();
            assert_eq!(recording.tails.len(), round.div_ceil(2));
        }
        let name = "spin".parse().unwrap();
        let latency = recording.latency(&name, At::rung(1)).unwrap();
        assert_eq!((latency.rounds, latency.p95_rounds), (13, 6));
        assert!((latency.p95_ratio.unwrap().value - 3.0).abs() < 1e-9);
        assert_eq!(latency.recorded.variant.tails_us, [1.0; 6]);
    }
}
