//! How work grows with size: the slope of log work on log size.
//!
//! Work in proportion to n has slope 1, constant work slope 0. A fixed part beside a growing
//! one bends the line: the interval then widens, and the rules say so rather than guess.

use crate::counter::Counter;
use crate::evidence::{Growth, PlanMode, Work};
use crate::names::OperationName;
use crate::student::t_975;

/// A fitted slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// 0 for O(1), 1 for O(n).
    pub value: f64,
    /// The 95 % interval; absent with fewer than three sizes.
    pub interval: Option<(f64, f64)>,
    /// How many points it rests on.
    pub points: usize,
}

/// Why points give no slope.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SlopeError {
    /// All points lie at one size.
    #[error("a slope needs at least two different sizes: measure more rungs")]
    OneSize,
    /// A size or an amount of work has no logarithm.
    #[error("work {work} at n = {n} has no logarithm: fit a counter that is counted at every rung")]
    NotPositive {
        /// The size.
        n: u64,
        /// The work.
        work: f64,
    },
}

/// Fits the slope of log work on log n by least squares, with Student's t for its interval.
/// Work that is the same at every size, also none, has slope 0 exactly.
///
/// # Errors
/// With fewer than two different sizes, or when some but not all work is zero.
pub fn slope(points: &[(u64, f64)]) -> Result<Slope, SlopeError> {
    let Some(&(first_n, first_work)) = points.first() else {
        return Err(SlopeError::OneSize);
    };
    if points.iter().all(|(n, _)| *n == first_n) {
        return Err(SlopeError::OneSize);
    }
    let mut sizes: Vec<u64> = points.iter().map(|(n, _)| *n).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let bounded = sizes.len() >= 3;
    if points.iter().all(|(n, work)| *n > 0 && *work == first_work) && first_work >= 0.0 {
        return Ok(Slope {
            value: 0.0,
            interval: bounded.then_some((0.0, 0.0)),
            points: points.len(),
        });
    }
    let logs: Vec<(f64, f64)> = points
        .iter()
        .map(|&(n, work)| {
            if n == 0 || work.is_nan() || work <= 0.0 {
                return Err(SlopeError::NotPositive { n, work });
            }
            Ok(((n as f64).ln(), work.ln()))
        })
        .collect::<Result<_, _>>()?;

    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let sxx: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let sxy: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let value = sxy / sxx;
    let interval = bounded.then(|| {
        let residual: f64 = logs
            .iter()
            .map(|(x, y)| (y - mean_y - value * (x - mean_x)).powi(2))
            .sum();
        let df = logs.len() - 2;
        let half = t_975(df) * (residual / df as f64 / sxx).sqrt();
        (value - half, value + half)
    });
    Ok(Slope {
        value,
        interval,
        points: logs.len(),
    })
}

/// The growth of one counter of one operation along the ladder, with one kind of plans. Rungs
/// at which the counter was not counted are left out.
///
/// # Errors
/// As [`slope`].
pub fn growth(
    work: &[Work],
    operation: &OperationName,
    plan_mode: PlanMode,
    counter: Counter,
) -> Result<Growth, SlopeError> {
    let points: Vec<(u64, f64)> = work
        .iter()
        .filter(|rung| rung.operation == *operation && rung.plan_mode == plan_mode)
        .filter(|rung| rung.at.is_rung())
        .filter_map(|rung| Some((rung.at.n, *rung.counters.get(&counter)?)))
        .collect();
    let slope = slope(&points)?;
    Ok(Growth {
        operation: operation.clone(),
        plan_mode,
        counter,
        slope: slope.value,
        lo: slope.interval.map(|(lo, _)| lo),
        hi: slope.interval.map(|(_, hi)| hi),
        rungs: slope.points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::At;
    use proptest::prelude::*;

    #[test]
    fn constant_work_has_slope_zero_without_width() {
        for work in [0.0, 3.0] {
            let slope = slope(&[(100, work), (1_000, work), (10_000, work)]).unwrap();
            assert_eq!((slope.value, slope.interval), (0.0, Some((0.0, 0.0))));
        }
    }

    #[test]
    fn two_sizes_give_a_slope_but_no_interval() {
        let slope = slope(&[(100, 5.0), (1_000, 50.0)]).unwrap();
        assert!((slope.value - 1.0).abs() < 1e-12);
        assert_eq!(slope.interval, None);
    }

    #[test]
    fn a_bent_line_has_a_wide_interval() {
        let affine = |n: u64| (n, 50.0 + n as f64 / 100.0);
        let slope = slope(&[100, 1_000, 10_000, 100_000].map(affine)).unwrap();
        let (lo, hi) = slope.interval.unwrap();
        assert!(hi - lo > 0.5, "{lo} {hi}");
    }

    #[test]
    fn what_has_no_slope_is_refused() {
        assert_eq!(slope(&[]), Err(SlopeError::OneSize));
        assert_eq!(slope(&[(5, 1.0), (5, 2.0)]), Err(SlopeError::OneSize));
        let zero = slope(&[(1, 0.0), (2, 1.0), (3, 2.0)]);
        assert_eq!(zero, Err(SlopeError::NotPositive { n: 1, work: 0.0 }));
    }

    #[test]
    fn growth_is_fitted_on_one_operation_with_one_kind_of_plans() {
        let name = |operation: &str| -> OperationName { operation.parse().unwrap() };
        let work: Vec<Work> = [("posts", 20.0, 20.0), ("history", 20.0, 2_000.0)]
            .into_iter()
            .flat_map(|(operation, small, large)| {
                [(100, small), (10_000, large)].map(|(n, rows)| Work {
                    operation: name(operation),
                    at: At::rung(n),
                    plan_mode: PlanMode::Auto,
                    plans: None,
                    counters: [(Counter::RowsRead, rows)].into(),
                })
            })
            .collect();
        let fit = |operation, mode, counter| growth(&work, &name(operation), mode, counter);
        let posts = fit("posts", PlanMode::Auto, Counter::RowsRead).unwrap();
        assert_eq!((posts.slope, posts.rungs), (0.0, 2));
        let history = fit("history", PlanMode::Auto, Counter::RowsRead).unwrap();
        assert!((history.slope - 1.0).abs() < 1e-12);
        assert!(fit("posts", PlanMode::Generic, Counter::RowsRead).is_err());
        assert!(fit("posts", PlanMode::Auto, Counter::Buffers).is_err());
    }

    proptest! {
        #[test]
        fn a_known_power_is_recovered(power in -1.0f64..2.0, factor in 0.1f64..1e4) {
            let points = [100u64, 1_000, 10_000, 100_000]
                .map(|n| (n, factor * (n as f64).powf(power)));
            let slope = slope(&points).unwrap();
            let (lo, hi) = slope.interval.unwrap();
            prop_assert!((slope.value - power).abs() < 1e-6);
            prop_assert!(lo <= slope.value && slope.value <= hi && hi - lo < 1e-5);
        }

        #[test]
        fn the_unit_of_work_does_not_matter(
            work in proptest::collection::vec(1.0f64..1e6, 4),
            unit in 0.001f64..1000.0,
        ) {
            let at = |i: usize| 10u64.pow(i as u32 + 2);
            let points: Vec<_> = work.iter().enumerate().map(|(i, w)| (at(i), *w)).collect();
            let scaled: Vec<_> =
                work.iter().enumerate().map(|(i, w)| (at(i), w * unit)).collect();
            prop_assert!(
                (slope(&points).unwrap().value - slope(&scaled).unwrap().value).abs() < 1e-6
            );
        }
    }
}
