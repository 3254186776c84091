//! Student's t, which intervals rest on.

/// Degrees of freedom beyond which t is taken from what it is at these: it is a smooth function of
/// their inverse.
const KNOTS: [usize; 3] = [30, 60, 120];

/// The 97.5 % point of Student's t with `df` ≥ 1 degrees of freedom: the half-width of a
/// two-sided 95 % interval in standard errors.
pub(crate) fn t_975(df: usize) -> f64 {
    t_quantile(0.975, df)
}

/// The quantile of Student's t with `df` ≥ 1 degrees of freedom, for `p` from one half to nearly 1.
pub fn t_quantile(p: f64, df: usize) -> f64 {
    if df <= KNOTS[KNOTS.len() - 1] {
        return exact(p, df.max(1));
    }
    // Lagrange's polynomial through the knots.
    let inverse = |df: usize| 1.0 / df as f64;
    let term = |knot: usize| {
        let others = KNOTS.iter().filter(|other| **other != knot);
        let weights =
            others.map(|other| (inverse(df) - inverse(*other)) / (inverse(knot) - inverse(*other)));
        exact(p, knot) * weights.product::<f64>()
    };
    KNOTS.into_iter().map(term).sum()
}

/// The angle at which [`within`] is 2p - 1, found by halving.
fn exact(p: f64, df: usize) -> f64 {
    let (mut lo, mut hi) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..52 {
        let middle = f64::midpoint(lo, hi);
        if within(middle, df) < 2.0 * p - 1.0 {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    (df as f64).sqrt() * lo.tan()
}

/// The probability that |t| is at most √df · tan `angle`: a finite series for whole degrees of
/// freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
fn within(angle: f64, df: usize) -> f64 {
    let (sin, cos) = angle.sin_cos();
    let odd = df % 2 == 1;
    let (mut term, mut sum) = if odd { (cos, cos) } else { (1.0, 1.0) };
    let mut power = if odd { 3 } else { 2 };
    while power < df && term > sum * f64::EPSILON {
        term *= cos * cos * (power - 1) as f64 / power as f64;
        sum += term;
        power += 2;
    }
    match (odd, df) {
        (true, 1) => angle * std::f64::consts::FRAC_2_PI,
        (true, _) => std::f64::consts::FRAC_2_PI * (angle + sin * sum),
        (false, _) => sin * sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_t_are_those_of_the_tables() {
        for (p, df, t) in [
            (0.975, 1, 12.706),
            (0.975, 2, 4.303),
            (0.975, 3, 3.182),
            (0.975, 5, 2.571),
            (0.975, 19, 2.093),
            (0.975, 30, 2.042),
            (0.975, 100, 1.984),
            (0.975, 1_000_000, 1.960),
            (0.999, 2, 22.327),
            (0.999, 5, 5.893),
            (0.999, 9, 4.297),
            (0.9995, 19, 3.883),
            (0.9995, 1_000, 3.300),
            (0.9995, 1_000_000, 3.2905),
        ] {
            let found = t_quantile(p, df);
            assert!((found / t - 1.0).abs() < 5e-4, "{p} {df}: {found}");
        }
    }
}
