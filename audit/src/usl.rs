//! The universal scalability law: X(N) = λN / (1 + σ(N − 1) + κN(N − 1)).
//!
//! λ is the throughput of one user, σ what waits in line, κ what every pair must agree on
//! (Gunther, Guerrilla Capacity Planning, 2007). The fit is by Levenberg and Marquardt on the
//! logarithm of the throughput, since its noise grows with it; σ and κ cannot be negative. The
//! uncertainty comes from fitting again with resampled residuals.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::evidence::{Estimate, Projection, Usl};

/// Different numbers of users below which nothing is fitted: three would fit any data exactly.
pub const MIN_LEVELS: usize = 4;

/// The peak is sought up to this many times the most users measured. A curve without
/// contention never turns, and would otherwise promise throughput that nothing has shown.
pub const REACH: f64 = 2.0;

const RESAMPLES: usize = 1_000;

/// One measured window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Concurrent users.
    pub users: u32,
    /// Requests per second.
    pub rate: f64,
}

/// Why windows give no fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UslError {
    /// Too few different levels of concurrency.
    #[error("{levels} levels of concurrency are too few for a fit: measure at least {MIN_LEVELS}")]
    TooFewLevels {
        /// How many there were.
        levels: usize,
    },
    /// A window without users or without throughput.
    #[error("{rate} requests/s at {users} users cannot be fitted: leave the window out")]
    Unusable {
        /// Its users.
        users: u32,
        /// Its throughput.
        rate: f64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Curve {
    lambda: f64,
    sigma: f64,
    kappa: f64,
}

impl Curve {
    fn at(self, n: f64) -> f64 {
        self.lambda * n / self.drag(n)
    }

    fn drag(self, n: f64) -> f64 {
        1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0)
    }

    /// The users at which throughput is greatest, no further than `most`.
    fn peak_users(self, most: f64) -> f64 {
        if self.kappa == 0.0 {
            return most;
        }
        let turn = (1.0 - self.sigma).max(0.0) / self.kappa;
        turn.sqrt().clamp(1.0, most)
    }
}

/// Fits the law to windows of throughput, several per level where there are. The same windows
/// and seed give the same intervals.
///
/// # Errors
/// With fewer than [`MIN_LEVELS`] different levels, or a window without throughput.
pub fn usl(windows: &[Throughput], seed: u64) -> Result<Usl, UslError> {
    for window in windows {
        if window.users == 0 || !window.rate.is_finite() || window.rate <= 0.0 {
            return Err(UslError::Unusable {
                users: window.users,
                rate: window.rate,
            });
        }
    }
    let mut levels: Vec<u32> = windows.iter().map(|window| window.users).collect();
    levels.sort_unstable();
    levels.dedup();
    if levels.len() < MIN_LEVELS {
        return Err(UslError::TooFewLevels {
            levels: levels.len(),
        });
    }
    let most = f64::from(levels[levels.len() - 1]) * REACH;

    let users: Vec<f64> = windows.iter().map(|w| f64::from(w.users)).collect();
    let logs: Vec<f64> = windows.iter().map(|w| w.rate.ln()).collect();
    let curve = fit(&users, &logs);
    let peak = |curve: Curve| curve.at(curve.peak_users(most));

    // Residuals of a fit are smaller than the noise by the parameters that it spent.
    let freedom = (windows.len() as f64 / (windows.len() - 3) as f64).sqrt();
    let residuals: Vec<f64> = users
        .iter()
        .zip(&logs)
        .map(|(n, log)| (log - curve.at(*n).ln()) * freedom)
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let refits: Vec<Curve> = (0..RESAMPLES)
        .map(|_| {
            let resampled: Vec<f64> = users
                .iter()
                .map(|n| curve.at(*n).ln() + residuals[rng.random_range(0..residuals.len())])
                .collect();
            fit(&users, &resampled)
        })
        .collect();
    let estimate = |of: &dyn Fn(Curve) -> f64| {
        let mut values: Vec<f64> = refits.iter().map(|curve| of(*curve)).collect();
        values.sort_by(f64::total_cmp);
        let tail = RESAMPLES / 40;
        let value = of(curve);
        Estimate {
            value,
            lo: Some(values[tail].min(value)),
            hi: Some(values[RESAMPLES - 1 - tail].max(value)),
        }
    };
    Ok(Usl {
        lambda: estimate(&|curve| curve.lambda),
        sigma: estimate(&|curve| curve.sigma),
        kappa: estimate(&|curve| curve.kappa),
        peak: estimate(&peak),
    })
}

/// The fitted throughput at so many users, requests per second.
pub fn throughput_at(usl: &Usl, users: f64) -> f64 {
    Curve {
        lambda: usl.lambda.value,
        sigma: usl.sigma.value,
        kappa: usl.kappa.value,
    }
    .at(users)
}

/// How many machines like the measured one a demand (requests per second) needs, each at the
/// fitted peak: whole machines, fewest and most by the peak's interval.
pub fn project(usl: &Usl, demand: f64) -> Projection {
    let machines = |peak: f64| (demand / peak).ceil().max(1.0);
    Projection {
        demand,
        machines: Estimate {
            value: machines(usl.peak.value),
            lo: usl.peak.hi.map(machines),
            hi: usl.peak.lo.map(machines),
        },
        assumptions: [
            "every machine is like this one, and runs service, engines and load generator",
            "each runs at its fitted peak, where latency is worst: the p95 goal may not hold there",
            "requests divide evenly, and machines share nothing that they would wait for",
            "data of the planned size costs as much per request as this world's",
            "no curve is trusted beyond twice the most users measured",
        ]
        .map(str::to_owned)
        .to_vec(),
    }
}

/// The best fit among those that keep σ and κ from being negative: both free, either at zero,
/// or both at zero, which always is possible.
fn fit(users: &[f64], logs: &[f64]) -> Curve {
    let candidates = [[true, true], [true, false], [false, true], [false, false]]
        .map(|free| descend(users, logs, free));
    let feasible = |curve: &Curve| curve.sigma >= 0.0 && curve.kappa >= 0.0;
    let mut best = candidates[3];
    for curve in candidates.into_iter().filter(feasible) {
        if cost(curve, users, logs) < cost(best, users, logs) {
            best = curve;
        }
    }
    best
}

fn cost(curve: Curve, users: &[f64], logs: &[f64]) -> f64 {
    users
        .iter()
        .zip(logs)
        .map(|(n, log)| (log - curve.at(*n).ln()).powi(2))
        .sum::<f64>()
}

/// Levenberg-Marquardt from a curve without contention; `free` says whether σ and κ may move.
fn descend(users: &[f64], logs: &[f64], free: [bool; 2]) -> Curve {
    let level = users.iter().zip(logs).map(|(n, log)| log - n.ln());
    let mut curve = Curve {
        lambda: (level.sum::<f64>() / users.len() as f64).exp(),
        sigma: 0.0,
        kappa: 0.0,
    };
    let mut damping = 1e-3;
    let mut current = cost(curve, users, logs);
    for _ in 0..200 {
        // Normal equations of the derivatives of ln X by ln λ, σ and κ.
        let mut a = [[0.0; 3]; 3];
        let mut b = [0.0; 3];
        for (n, log) in users.iter().zip(logs) {
            let drag = curve.drag(*n);
            let gradient = [
                1.0,
                if free[0] { -(n - 1.0) / drag } else { 0.0 },
                if free[1] { -n * (n - 1.0) / drag } else { 0.0 },
            ];
            let residual = log - curve.at(*n).ln();
            for i in 0..3 {
                b[i] += gradient[i] * residual;
                for j in 0..3 {
                    a[i][j] += gradient[i] * gradient[j];
                }
            }
        }
        for (i, row) in a.iter_mut().enumerate() {
            // A parameter that is held has an empty row: make its step zero.
            row[i] = if row[i] == 0.0 {
                1.0
            } else {
                row[i] * (1.0 + damping)
            };
        }
        let Some(step) = solve(a, b) else { break };
        let next = Curve {
            lambda: curve.lambda * step[0].exp(),
            sigma: curve.sigma + step[1],
            kappa: curve.kappa + step[2],
        };
        let reachable = users.iter().all(|n| next.drag(*n) > 0.0);
        let after = cost(next, users, logs);
        if reachable && after <= current {
            let gained = current - after;
            (curve, current) = (next, after);
            damping = (damping / 10.0).max(1e-12);
            if gained <= 1e-14 * current.max(1e-14) {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    curve
}

/// Gaussian elimination with pivoting; `None` for a singular matrix.
fn solve(mut a: [[f64; 3]; 3], mut b: [f64; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let pivot =
            (column..3).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs()))?;
        if a[pivot][column].abs() < 1e-300 {
            return None;
        }
        a.swap(column, pivot);
        b.swap(column, pivot);
        for row in column + 1..3 {
            let factor = a[row][column] / a[column][column];
            let above = a[column];
            for (value, upper) in a[row].iter_mut().zip(above).skip(column) {
                *value -= factor * upper;
            }
            b[row] -= factor * b[column];
        }
    }
    let mut x = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|j| a[row][j] * x[j]).sum();
        x[row] = (b[row] - known) / a[row][row];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEVELS: [u32; 6] = [1, 2, 4, 8, 16, 64];

    fn windows(lambda: f64, sigma: f64, kappa: f64) -> Vec<Throughput> {
        let curve = Curve {
            lambda,
            sigma,
            kappa,
        };
        LEVELS
            .map(|users| Throughput {
                users,
                rate: curve.at(f64::from(users)),
            })
            .to_vec()
    }

    #[test]
    fn three_levels_are_refused_and_four_are_not() {
        let windows = windows(100.0, 0.1, 0.001);
        assert_eq!(
            usl(&windows[..3], 1),
            Err(UslError::TooFewLevels { levels: 3 })
        );
        assert!(usl(&windows[..4], 1).is_ok());
    }

    #[test]
    fn a_window_without_throughput_is_refused() {
        let mut windows = windows(100.0, 0.1, 0.001);
        windows[2].rate = 0.0;
        assert!(matches!(
            usl(&windows, 1),
            Err(UslError::Unusable { users: 4, .. })
        ));
    }

    #[test]
    fn a_straight_line_peaks_no_further_than_it_is_trusted() {
        let usl = usl(&windows(50.0, 0.0, 0.0), 1).unwrap();
        assert!((usl.peak.value / (50.0 * 128.0) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn noise_widens_the_intervals_and_they_hold_the_truth() {
        let mut windows = windows(100.0, 0.05, 0.001);
        for (i, window) in windows.iter_mut().enumerate() {
            window.rate *= if i % 2 == 0 { 1.03 } else { 0.97 };
        }
        let usl = usl(&windows, 1).unwrap();
        for (estimate, truth) in [(usl.lambda, 100.0), (usl.sigma, 0.05), (usl.kappa, 0.001)] {
            assert!(estimate.lo.unwrap() <= truth && truth <= estimate.hi.unwrap());
            assert!(estimate.lo < estimate.hi);
        }
    }

    #[test]
    fn the_projection_is_in_whole_machines_and_widens_with_the_peak() {
        let mut usl = usl(&windows(100.0, 0.1, 0.001), 1).unwrap();
        usl.peak = Estimate {
            value: 400.0,
            lo: Some(300.0),
            hi: Some(500.0),
        };
        let machines = project(&usl, 1000.0).machines;
        assert_eq!(
            (machines.lo, machines.value, machines.hi),
            (Some(2.0), 3.0, Some(4.0))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn known_parameters_are_recovered(
            lambda in 1.0f64..5_000.0,
            sigma in 0.0f64..0.6,
            kappa in 0.0f64..0.02,
        ) {
            let users: Vec<f64> = LEVELS.iter().map(|n| f64::from(*n)).collect();
            let logs: Vec<f64> =
                windows(lambda, sigma, kappa).iter().map(|w| w.rate.ln()).collect();
            let curve = fit(&users, &logs);
            prop_assert!((curve.lambda / lambda - 1.0).abs() < 1e-3);
            prop_assert!((curve.sigma - sigma).abs() < 1e-3);
            prop_assert!((curve.kappa - kappa).abs() < 1e-4);
        }

        #[test]
        fn no_throughput_gives_a_negative_parameter(
            rates in proptest::collection::vec(1.0f64..10_000.0, 6),
        ) {
            let users: Vec<f64> = LEVELS.iter().map(|n| f64::from(*n)).collect();
            let logs: Vec<f64> = rates.iter().map(|rate| rate.ln()).collect();
            let curve = fit(&users, &logs);
            prop_assert!(curve.lambda > 0.0 && curve.sigma >= 0.0 && curve.kappa >= 0.0);
        }
    }
}
