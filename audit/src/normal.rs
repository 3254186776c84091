//! The two tabulated distributions that intervals rest on.

/// 97.5 % points of Student's t for 1 to 30 degrees of freedom (any statistical table).
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// The 97.5 % point of Student's t with `df` ≥ 1 degrees of freedom: the half-width of a
/// two-sided 95 % interval in standard errors.
pub(crate) fn t_975(df: usize) -> f64 {
    if let Some(t) = df.checked_sub(1).and_then(|i| T_975.get(i)) {
        return *t;
    }
    // Beyond the table the expansion around the normal quantile is good to four digits.
    let z = 1.959_964_f64;
    let df = df as f64;
    z + (z.powi(3) + z) / (4.0 * df)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * df * df)
}

/// The quantile of Student's t with `df` ≥ 5 or so degrees of freedom, for `p` above one half:
/// the expansion around the normal one (Abramowitz and Stegun, 26.7.5), within half a percent
/// up to `p` of 0.9995.
pub(crate) fn t_quantile(p: f64, df: usize) -> f64 {
    let z = normal_quantile(p);
    let v = df as f64;
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5)
            - 1920.0 * z.powi(3)
            - 945.0 * z)
            / 92_160.0,
    ];
    terms
        .into_iter()
        .rev()
        .fold(0.0, |sum, term| (sum + term) / v)
        + z
}

/// The point below which a standard normal lies with a probability from 0.5 to nearly 1.
fn normal_quantile(p: f64) -> f64 {
    let (mut lo, mut hi) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(lo, hi);
        if normal_cdf(middle) < p {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    lo
}

/// The standard normal distribution function, good to 1e-7 (Abramowitz and Stegun, 26.2.17).
fn normal_cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * poly;
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expansion_meets_the_table_and_tends_to_the_normal() {
        assert!((t_975(31) - 2.0395).abs() < 5e-4);
        assert!((t_975(100) - 1.9840).abs() < 5e-4);
        assert!((t_975(1_000_000) - 1.96).abs() < 1e-3);
        assert!(t_975(30) > t_975(31));
    }

    #[test]
    fn quantiles_of_t_are_those_of_the_tables() {
        for (p, df, t) in [
            (0.975, 5, 2.571),
            (0.975, 19, 2.093),
            (0.999, 5, 5.893),
            (0.999, 9, 4.297),
            (0.9995, 19, 3.883),
        ] {
            let found = t_quantile(p, df);
            assert!((found / t - 1.0).abs() < 5e-3, "{p} {df}: {found}");
        }
    }

    #[test]
    fn the_normal_distribution_function_has_its_known_values() {
        for (x, p) in [(0.0, 0.5), (1.959_964, 0.975), (-3.0, 0.001_349_9)] {
            assert!((normal_cdf(x) - p).abs() < 1e-6, "{x}");
        }
    }
}
