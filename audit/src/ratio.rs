//! How many times faster: the ratio of two sides, over rounds.
//!
//! A connection, a plan and a clone each carry an offset of their own, which no number of blocks
//! on them averages away. So what is repeated is the whole round, with connections of its own on
//! both sides, and the interval is taken over rounds (Kalibera and Jones, Rigorous Benchmarking
//! in Reasonable Time, 2013). Inside a round, short blocks have as many calls of either side; a
//! block gives the ratio of its typical calls, their medians, since calls have a long tail; and
//! a round the mean of its blocks' log ratios.

use crate::estimate::Ratio;
use crate::latency::Zero;
use crate::student::{t_975, t_quantile};

/// Rounds below which no ratio is given.
pub const MIN_ROUNDS: usize = 6;

/// Calls of a side that a 95th percentile needs: those of one round, or of as many rounds in a row
/// as have them where calls are slow.
pub const CALLS_FOR_A_TAIL: usize = 40;

/// How many times the rounds that were made nobody will wait for.
const MOST_ROUNDS: usize = 10_000;

/// The typical calls of both sides in one short stretch of time, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// The median of today's calls.
    pub baseline_ns: f64,
    /// The median of the variant's.
    pub variant_ns: f64,
}

/// Why rounds give no ratio.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RatioError {
    /// Too few rounds for an interval.
    #[error("{rounds} rounds are too few for a ratio: measure for longer, at least {least}")]
    TooFewRounds {
        /// How many there were.
        rounds: usize,
        /// How many it takes.
        least: usize,
    },
    /// A round without a block, or a block in which a side took no time.
    #[error("round {round} has a side without calls or without time: make rounds longer")]
    EmptyRound {
        /// Its index.
        round: usize,
    },
}

/// Baseline ÷ variant with its 95 % interval; above 1 the variant is faster.
///
/// # Errors
/// With fewer than [`MIN_ROUNDS`] rounds, or a round in which one side did nothing.
pub fn ratio(rounds: &[Vec<Block>]) -> Result<Ratio, RatioError> {
    ratio_of(rounds, MIN_ROUNDS)
}

/// The same of as few rounds as `least`, two or more: the fewer, the wider is the interval.
///
/// # Errors
/// With fewer, or a round in which one side did nothing.
pub fn ratio_of(rounds: &[Vec<Block>], least: usize) -> Result<Ratio, RatioError> {
    if rounds.len() < least.max(2) {
        return Err(RatioError::TooFewRounds {
            rounds: rounds.len(),
            least,
        });
    }
    let logs: Vec<f64> = rounds
        .iter()
        .enumerate()
        .map(|(round, blocks)| {
            let timed = |block: &Block| block.baseline_ns > 0.0 && block.variant_ns > 0.0;
            if blocks.is_empty() || !blocks.iter().all(timed) {
                return Err(RatioError::EmptyRound { round });
            }
            let logs = blocks
                .iter()
                .map(|block| (block.baseline_ns / block.variant_ns).ln());
            Ok(logs.sum::<f64>() / blocks.len() as f64)
        })
        .collect::<Result<_, _>>()?;

    Ok(of_logs(&logs))
}

/// The geometric mean of values that vary by factors, with its 95 % interval; none of fewer than
/// two, or where one is not above zero.
pub fn geometric_mean(values: &[f64]) -> Option<Ratio> {
    let positive = values.iter().all(|value| value.is_finite() && *value > 0.0);
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    (positive && logs.len() >= 2).then(|| of_logs(&logs))
}

fn of_logs(logs: &[f64]) -> Ratio {
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = t_975(logs.len() - 1) * (variance / n).sqrt();
    Ratio {
        value: mean.exp(),
        lo: (mean - half).exp(),
        hi: (mean + half).exp(),
    }
}

impl Ratio {
    /// The standard error of its logarithm, of an interval over so many rounds.
    fn log_error(&self, rounds: usize) -> f64 {
        (self.hi / self.lo).ln() / 2.0 / t_975(degrees(rounds))
    }

    /// The interval at which as many ratios as `cells` hold their true values together with a
    /// probability of 95 % (Bonferroni); it is the one that is shown where there is one alone.
    #[must_use]
    pub fn among(&self, cells: usize, rounds: usize) -> Self {
        let t = t_quantile(1.0 - 0.025 / cells.max(1) as f64, degrees(rounds));
        self.with_half(t * self.log_error(rounds))
    }

    /// The ratio with its interval widened either way by a factor that is not known better than
    /// that, such as 0.02.
    #[must_use]
    pub fn widened(&self, by: f64) -> Self {
        Self {
            lo: self.lo / (1.0 + by),
            hi: self.hi * (1.0 + by),
            ..*self
        }
    }

    /// The ratio, taken from the zero that the same call had on both sides before anything was
    /// changed, with the zero's error added. It rests on the fewer of both's rounds.
    #[must_use]
    pub fn relative_to(&self, zero: Zero, rounds: usize) -> Self {
        let error = self
            .log_error(rounds)
            .hypot(zero.ratio.log_error(zero.rounds));
        let rounds = rounds.min(zero.rounds);
        let from_zero = Self {
            value: self.value / zero.ratio.value,
            ..*self
        };
        from_zero.with_half(t_975(degrees(rounds)) * error)
    }

    /// The interval that a verdict rests on: at the level at which as many ratios as `cells`
    /// hold together, and cleared of what copies of a database may be apart.
    #[must_use]
    pub fn judged(&self, cells: usize, rounds: usize, floor: f64) -> Self {
        self.among(cells, rounds).widened(floor)
    }

    /// About how many rounds it would take for a verdict, were the ratio to stay what it is while
    /// its interval narrows with the square root of rounds; none where no number of them does.
    pub fn rounds_to_decide(
        &self,
        (cells, rounds, floor): (usize, usize, f64),
        decided: impl Fn(Self) -> bool,
    ) -> Option<usize> {
        const STEP: f64 = 1.05;
        let mut more = rounds.max(MIN_ROUNDS);
        while more <= rounds.saturating_mul(MOST_ROUNDS) {
            let narrowed = t_975(degrees(more)) * self.log_error(rounds);
            let narrowed = narrowed * (rounds as f64 / more as f64).sqrt();
            if decided(self.with_half(narrowed).judged(cells, more, floor)) {
                return Some(more);
            }
            more = (more + 1).max((more as f64 * STEP) as usize);
        }
        None
    }

    /// Whether a value lies in the interval.
    pub fn holds(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// The smallest effect that would have been told from none, as a share: 0.03 is 3 %.
    pub fn smallest_effect(&self) -> f64 {
        (self.hi / self.lo).sqrt() - 1.0
    }

    fn with_half(&self, half: f64) -> Self {
        Self {
            value: self.value,
            lo: self.value * (-half).exp(),
            hi: self.value * half.exp(),
        }
    }
}

fn degrees(rounds: usize) -> usize {
    rounds.saturating_sub(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn block(baseline_ns: f64, variant_ns: f64) -> Block {
        Block {
            baseline_ns,
            variant_ns,
        }
    }

    /// Simulated rounds, of the kind that recordings show: a drift over the run, an offset of each round's
    /// connections, blocks of which each is like the one before it, and a long tail.
    fn recorded(truth: f64, rounds: usize, random: &mut ChaCha8Rng) -> Vec<Vec<Block>> {
        let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let mut mood = 0.0;
        (0..rounds)
            .map(|round| {
                let drift = 0.1 * (round as f64 / rounds as f64);
                let (before, after) = (0.02 * normal(), 0.02 * normal());
                (0..4)
                    .map(|_| {
                        mood = 0.8 * mood + 0.05 * normal();
                        let tail = |z: f64| if z > 1.5 { z * 0.05 } else { 0.01 * z };
                        let (one, other) = (tail(normal()), tail(normal()));
                        block(
                            1e6 * truth * (drift + mood + before + one).exp(),
                            1e6 * (drift + mood + after + other).exp(),
                        )
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn equal_rounds_give_an_interval_without_width() {
        let ratio = ratio(&vec![vec![block(3000.0, 1000.0); 4]; 8]).unwrap();
        for value in [ratio.value, ratio.lo, ratio.hi] {
            assert!((value - 3.0).abs() < 1e-9);
        }
    }

    #[test]
    fn five_rounds_are_refused_and_six_are_not() {
        let rounds = vec![vec![block(2.0, 1.0)]; 6];
        assert_eq!(
            ratio(&rounds[..5]),
            Err(RatioError::TooFewRounds {
                rounds: 5,
                least: MIN_ROUNDS
            })
        );
        assert!(ratio(&rounds).is_ok());
    }

    #[test]
    fn a_side_that_was_not_called_is_named() {
        let mut rounds = vec![vec![block(2.0, 1.0)]; 6];
        rounds[3][0].variant_ns = 0.0;
        assert_eq!(ratio(&rounds), Err(RatioError::EmptyRound { round: 3 }));
        rounds[3].clear();
        assert_eq!(ratio(&rounds), Err(RatioError::EmptyRound { round: 3 }));
    }

    #[test]
    fn the_interval_covers_the_truth_as_often_as_it_says() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for rounds in [6, 10, 20] {
            let trials = 2_000;
            let covered = (0..trials)
                .filter(|_| {
                    let r = ratio(&recorded(1.3, rounds, &mut random)).unwrap();
                    r.lo <= 1.3 && 1.3 <= r.hi
                })
                .count();
            let share = covered as f64 / f64::from(trials);
            assert!(
                (0.93..=0.97).contains(&share),
                "{share} with {rounds} rounds"
            );
        }
    }

    #[test]
    fn ratios_hold_together_as_often_as_each_alone() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let (runs, cells, rounds) = (300, 20, 10);
        let mut alone = 0;
        let together = (0..runs)
            .filter(|_| {
                (0..cells).all(|_| {
                    let r = ratio(&recorded(1.0, rounds, &mut random)).unwrap();
                    alone += usize::from(r.lo > 1.0 || r.hi < 1.0);
                    let wide = r.among(cells, rounds);
                    wide.lo <= 1.0 && 1.0 <= wide.hi
                })
            })
            .count();
        assert!(together as f64 >= 0.93 * f64::from(runs), "{together}");
        assert!(alone > 100, "single intervals miss now and then: {alone}");
    }

    #[test]
    fn a_zero_is_taken_off_and_its_error_added() {
        let measured = Ratio {
            value: 2.1,
            lo: 2.1 / 1.02,
            hi: 2.1 * 1.02,
        };
        let ratio = Ratio {
            value: 1.05,
            lo: 1.05 / 1.02,
            hi: 1.05 * 1.02,
        };
        let zero = |rounds| Zero { ratio, rounds };
        let from_zero = measured.relative_to(zero(20), 20);
        assert!((from_zero.value - 2.0).abs() < 1e-9);
        let half = (from_zero.hi / from_zero.value).ln();
        assert!((half - 1.02f64.ln() * 2f64.sqrt()).abs() < 1e-9);
        let of_few = measured.relative_to(zero(7), 20);
        assert!(of_few.hi > from_zero.hi && of_few.lo < from_zero.lo);
        assert!((measured.smallest_effect() - 0.02).abs() < 1e-9);
        assert!(measured.widened(0.1).lo < measured.lo);
    }

    #[test]
    fn the_rounds_that_are_said_to_decide_do_and_fewer_do_not() {
        let measured = Ratio {
            value: 2.1,
            lo: 2.1 / 1.1,
            hi: 2.1 * 1.1,
        };
        let decided = |ratio: Ratio| ratio.lo >= 2.0 || ratio.hi < 2.0;
        let needed = measured.rounds_to_decide((1, 10, 0.0), decided).unwrap();
        // The half width is to shrink from 10 % to 5 %, so about four times as many rounds.
        assert!((28..=48).contains(&needed), "{needed}");
        assert!(measured.rounds_to_decide((50, 10, 0.0), decided).unwrap() > needed);
        // A border that is nearer than copies of the database are apart is never decided about.
        assert_eq!(measured.rounds_to_decide((1, 10, 0.06), decided), None);
        assert_eq!(measured.rounds_to_decide((1, 10, 0.0), |_| false), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn neither_the_unit_of_time_nor_the_order_of_rounds_matters(
            times in proptest::collection::vec((1e3f64..1e6, 1e3f64..1e6), 6..20),
            unit in 2.0f64..1000.0,
        ) {
            let of = |unit: f64| -> Vec<Vec<Block>> {
                times.iter().map(|(b, v)| vec![block(b * unit, v * unit)]).collect()
            };
            let mut turned = of(unit);
            turned.reverse();
            let (a, b) = (ratio(&of(1.0)).unwrap(), ratio(&turned).unwrap());
            prop_assert!((a.value / b.value - 1.0).abs() < 1e-9);
            prop_assert!((a.lo / b.lo - 1.0).abs() < 1e-9 && (a.hi / b.hi - 1.0).abs() < 1e-9);
            prop_assert!(a.lo <= a.value && a.value <= a.hi);
        }

        #[test]
        fn swapped_sides_give_the_inverse(
            times in proptest::collection::vec((1e3f64..1e6, 1e3f64..1e6), 6..20),
        ) {
            let rounds: Vec<_> = times.iter().map(|(b, v)| vec![block(*b, *v)]).collect();
            let swapped: Vec<_> = times.iter().map(|(b, v)| vec![block(*v, *b)]).collect();
            let product = ratio(&rounds).unwrap().value * ratio(&swapped).unwrap().value;
            prop_assert!((product - 1.0).abs() < 1e-9);
        }
    }
}
