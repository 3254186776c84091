//! Percentiles with intervals that assume nothing about the distribution.
//!
//! Of n requests, the number below the true p-quantile is binomial. So the order statistics
//! whose ranks bracket n·p in that distribution bracket the quantile, whatever the latencies
//! look like. A sample too small to have such a rank on one side has no bound on that side.
//!
//! That holds for calls that do not know of each other. Under load they do: a window in which
//! the service was slow has many slow ones. So [`over_windows`] takes one percentile from each
//! window, and the interval is no narrower than what windows differ by.

use hdrhistogram::Histogram;

use crate::evidence::{Estimate, Percentiles};
use crate::student::t_975;

/// The unit a histogram was recorded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 10⁻⁹ s.
    Nanoseconds,
    /// 10⁻⁶ s.
    Microseconds,
}

impl Unit {
    fn in_microseconds(self, value: u64) -> f64 {
        match self {
            Self::Nanoseconds => value as f64 / 1000.0,
            Self::Microseconds => value as f64,
        }
    }
}

/// The median of samples, in their unit: of an even number of them the upper of the two in the
/// middle; `None` of none.
pub fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_unstable_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}

/// The `p`-quantile (0 < p < 1) in microseconds with its 95 % interval; `None` when nothing
/// was recorded.
pub fn quantile(histogram: &Histogram<u64>, p: f64, unit: Unit) -> Option<Estimate> {
    let n = histogram.len();
    if n == 0 {
        return None;
    }
    let at = |rank: u64| unit.in_microseconds(value_at_rank(histogram, rank));
    // One part in a billion off, so that 0.95 × 200 is rank 190 and not 191.
    let rank = ((n as f64 * p * (1.0 - 1e-9)).ceil() as u64).clamp(1, n);
    let below = lower_rank(n, p);
    // The upper rank is the lower one of the mirrored distribution.
    let above = lower_rank(n, 1.0 - p).map(|mirrored| n + 1 - mirrored);
    Some(Estimate {
        value: at(rank),
        lo: below.map(at),
        hi: above.map(at),
    })
}

/// The `p`-quantile of all windows together in microseconds, with an interval that covers both
/// that of independent calls and what the windows' own quantiles differ by (Student's t);
/// `None` when nothing was recorded. Downwards it is taken of logarithms, since no call takes less
/// than no time. One window, or a window without calls, gives no interval.
pub fn over_windows(windows: &[&Histogram<u64>], p: f64, unit: Unit) -> Option<Estimate> {
    let mut all = (*windows.first()?).clone();
    for window in &windows[1..] {
        // They share one layout.
        all.add(*window).ok()?;
    }
    let together = quantile(&all, p, unit)?;
    let each: Vec<f64> = windows
        .iter()
        .filter_map(|window| Some(quantile(window, p, unit)?.value))
        .collect();
    let unbounded = Estimate {
        lo: None,
        hi: None,
        ..together
    };
    if each.len() < windows.len().max(2) {
        return Some(unbounded);
    }
    let logs: Vec<f64> = each.iter().map(|one| one.ln()).collect();
    let least = together.value * (-half_width(&logs)).exp();
    let most = together.value + half_width(&each);
    Some(Estimate {
        value: together.value,
        lo: together.lo.map(|lo| lo.min(least)),
        hi: together.hi.map(|hi| hi.max(most)),
    })
}

/// Half of the 95 % interval of the mean of two values or more (Student's t).
fn half_width(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
    t_975(values.len() - 1) * (variance / n).sqrt()
}

/// The three percentiles that results carry, in microseconds; zero when nothing was recorded.
pub fn percentiles(histogram: &Histogram<u64>, unit: Unit) -> Percentiles {
    let at = |p| quantile(histogram, p, unit).map_or(0.0, |estimate| estimate.value);
    Percentiles {
        count: histogram.len(),
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
    }
}

fn value_at_rank(histogram: &Histogram<u64>, rank: u64) -> u64 {
    let mut seen = 0;
    histogram
        .iter_recorded()
        .find(|step| {
            seen += step.count_since_last_iteration();
            seen >= rank
        })
        .map_or_else(|| histogram.max(), |step| step.value_iterated_to())
}

/// The greatest rank l ≥ 1 whose order statistic lies above the quantile with at most 2.5 %
/// probability: P(B < l) ≤ 0.025 for B binomial(n, p).
fn lower_rank(n: u64, p: f64) -> Option<u64> {
    let (nf, mean) = (n as f64, n as f64 * p);
    // Twelve standard deviations below the mean nothing is left to sum.
    let start = (mean - 12.0 * (mean * (1.0 - p)).sqrt() - 1.0)
        .max(0.0)
        .floor();
    let mut k = start;
    let mut pmf = (ln_factorial(nf) - ln_factorial(k) - ln_factorial(nf - k)
        + k * p.ln()
        + (nf - k) * (1.0 - p).ln())
    .exp();
    let mut below = 0.0;
    while k <= nf && below + pmf <= 0.025 {
        below += pmf;
        pmf *= (nf - k) / (k + 1.0) * p / (1.0 - p);
        k += 1.0;
    }
    (k > 0.0).then_some(k as u64)
}

/// ln n!, exact to rounding up to 20 and by Stirling's series beyond.
fn ln_factorial(n: f64) -> f64 {
    if n < 20.0 {
        return (2..=n as u64).map(|i| (i as f64).ln()).sum();
    }
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n)
        - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn recorded(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        for value in values {
            histogram.record(value).unwrap();
        }
        histogram
    }

    #[test]
    fn known_ranks_of_the_binomial_interval() {
        // Tables of distribution-free intervals for the median give ranks 2 and 9 of 10 and
        // 40 and 61 of 100.
        assert_eq!(
            (lower_rank(10, 0.5), lower_rank(100, 0.5)),
            (Some(2), Some(40))
        );
        assert_eq!(lower_rank(5, 0.5), None);
    }

    #[test]
    fn a_p95_has_an_upper_bound_from_72_requests() {
        // 0.95^72 is the first power below 2.5 %.
        let bound = |n| {
            quantile(&recorded(1..=n), 0.95, Unit::Microseconds)
                .unwrap()
                .hi
        };
        assert_eq!(bound(71), None);
        assert!(bound(72).is_some());
    }

    #[test]
    fn the_quantile_of_a_known_sample_is_its_order_statistic() {
        let sample = recorded(1..=200);
        let p95 = quantile(&sample, 0.95, Unit::Microseconds).unwrap();
        assert_eq!(p95.value, 190.0);
        let ns = quantile(
            &recorded((1..=200).map(|i| i * 1000)),
            0.95,
            Unit::Nanoseconds,
        );
        assert!((ns.unwrap().value - 190.0).abs() < 0.2);
        assert_eq!(percentiles(&sample, Unit::Microseconds).p50, 100.0);
    }

    #[test]
    fn nothing_recorded_is_no_quantile() {
        assert_eq!(quantile(&recorded([]), 0.5, Unit::Microseconds), None);
        assert_eq!(percentiles(&recorded([]), Unit::Microseconds).count, 0);
    }

    #[test]
    fn the_interval_covers_the_true_quantile_about_as_often_as_it_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let covered = (0..400)
            .filter(|_| {
                let sample = recorded((0..300).map(|_| rng.random_range(1..=1000)));
                let p95 = quantile(&sample, 0.95, Unit::Microseconds).unwrap();
                p95.lo.unwrap() <= 950.0 && 950.0 <= p95.hi.unwrap()
            })
            .count();
        assert!(covered >= 376, "{covered} of 400");
    }

    fn together(windows: &[Histogram<u64>]) -> Estimate {
        let windows: Vec<_> = windows.iter().collect();
        over_windows(&windows, 0.95, Unit::Microseconds).unwrap()
    }

    #[test]
    fn windows_that_differ_widen_the_interval_and_like_ones_leave_it() {
        let alike: Vec<_> = (0..10).map(|_| recorded(1..=1000)).collect();
        let all = recorded((0..10).flat_map(|_| 1..=1000));
        assert_eq!(
            together(&alike),
            quantile(&all, 0.95, Unit::Microseconds).unwrap()
        );
        let apart: Vec<_> = (0..10u64)
            .map(|window| recorded((1..=1000).map(|one| one * (10 + window) / 10)))
            .collect();
        let (apart, alike) = (together(&apart), together(&alike));
        assert!(
            apart.hi.unwrap() - apart.lo.unwrap() > 5.0 * (alike.hi.unwrap() - alike.lo.unwrap())
        );
    }

    #[test]
    fn one_slow_window_of_ten_is_within_the_interval_and_an_empty_one_gives_none() {
        let mut windows: Vec<_> = (0..9).map(|_| recorded(vec![800; 1000])).collect();
        windows.push(recorded(vec![900_000; 300]));
        let slow = together(&windows);
        assert!(
            slow.value < 1000.0 && slow.hi.unwrap() > 200_000.0,
            "{slow:?}"
        );
        assert!(slow.lo.unwrap() > 100.0, "nothing takes no time: {slow:?}");
        assert_eq!(together(&windows[..1]).hi, None);
        windows[3].clear();
        assert_eq!((together(&windows).lo, together(&windows).hi), (None, None));
    }

    #[test]
    fn the_interval_over_windows_covers_as_often_as_it_says_where_each_has_a_mood() {
        let mut random = ChaCha8Rng::seed_from_u64(12);
        // Over all moods, the 95th percentile of 1000 · mood · u.
        let mut window = |calls: usize| {
            let mood = 1.0 + 0.4 * (random.random::<f64>() - 0.5);
            recorded((0..calls).map(|_| (1000.0 * mood * random.random::<f64>()) as u64 + 1))
        };
        let windows: Vec<_> = (0..3000).map(|_| window(200)).collect();
        let truth = together(&windows).value;
        let (mut covered, mut pooled) = (0, 0);
        for ten in windows.chunks(10) {
            let holds = |e: Estimate| e.lo.unwrap() <= truth && truth <= e.hi.unwrap();
            covered += u32::from(holds(together(ten)));
            let mut all = ten[0].clone();
            ten[1..].iter().for_each(|one| all.add(one).unwrap());
            pooled += u32::from(holds(quantile(&all, 0.95, Unit::Microseconds).unwrap()));
        }
        assert!(covered >= 279, "{covered} of 300");
        assert!(pooled < 260, "calls alone claim too much: {pooled} of 300");
    }

    #[test]
    fn millions_of_requests_have_an_interval_too() {
        let lower = lower_rank(10_000_000, 0.95).unwrap();
        let expected = 9_500_000.0 - 1.96 * (10_000_000.0f64 * 0.95 * 0.05).sqrt();
        assert!((lower as f64 - expected).abs() < 5.0, "{lower}");
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_value(
            values in proptest::collection::vec(1u64..1_000_000, 1..300),
            p in 0.01f64..0.99,
        ) {
            let estimate = quantile(&recorded(values), p, Unit::Microseconds).unwrap();
            prop_assert!(estimate.lo.is_none_or(|lo| lo <= estimate.value));
            prop_assert!(estimate.hi.is_none_or(|hi| hi >= estimate.value));
        }
    }
}
