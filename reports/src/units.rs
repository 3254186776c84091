//! Figures as people read them.

use verdict_audit::Unit;
use verdict_audit::evidence::Estimate;

/// Three significant digits, without a fraction from 100 on.
pub fn figure(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 || v == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.01 => 3,
        _ => 5,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Microseconds as µs, ms or s.
pub fn duration(us: f64) -> String {
    if us < 1e3 {
        format!("{} µs", figure(us))
    } else if us < 1e6 {
        format!("{} ms", figure(us / 1e3))
    } else {
        format!("{} s", figure(us / 1e6))
    }
}

/// A count as 100, 1k, 1.5M.
pub fn count(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{}G", figure(value / 1e9)),
        v if v >= 1e6 => format!("{}M", figure(value / 1e6)),
        v if v >= 1e3 => format!("{}k", figure(value / 1e3)),
        _ => figure(value),
    }
}

/// Bytes in binary units.
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= 1024.0 && unit < UNITS.len() - 1 {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{} {}", figure(scaled), UNITS[unit])
}

/// A figure in the unit a price or a counter is given in.
pub(crate) fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => count(value),
        Unit::Bytes => bytes(value),
        Unit::BytesPerCall => format!("{} per call", bytes(value)),
        Unit::CountPerCall => format!("{} per call", count(value)),
        Unit::Microseconds => duration(value),
        Unit::Seconds => duration(value * 1e6),
    }
}

/// An estimate with what is known of its interval.
pub(crate) fn estimate(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    let value = show(estimate.value);
    format!("{value} ({})", interval(estimate, show))
}

/// What is known of an estimate's interval.
pub(crate) fn interval(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    match (estimate.lo, estimate.hi) {
        (Some(lo), Some(hi)) => format!("{} to {}", show(lo), show(hi)),
        (Some(lo), None) => format!("from {}", show(lo)),
        (None, Some(hi)) => format!("up to {}", show(hi)),
        (None, None) => "no interval".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_three_digits_and_the_nearest_unit() {
        assert_eq!(duration(0.5), "0.5 µs");
        assert_eq!(duration(1_234.0), "1.23 ms");
        assert_eq!(duration(2_200_000.0), "2.2 s");
        assert_eq!(count(100_000.0), "100k");
        assert_eq!(count(1_500_000.0), "1.5M");
        assert_eq!(bytes(1_572_864.0), "1.5 MiB");
        assert_eq!(in_unit(212.0, Unit::BytesPerCall), "212 B per call");
        assert_eq!(in_unit(0.25, Unit::Seconds), "250 ms");
        assert_eq!(in_unit(3.0, Unit::CountPerCall), "3 per call");
        assert_eq!(figure(0.0), "0");
    }

    #[test]
    fn an_estimate_says_which_ends_it_lacks() {
        let mut e = Estimate {
            value: 1.0,
            lo: Some(0.5),
            hi: None,
        };
        assert_eq!(estimate(&e, figure), "1 (from 0.5)");
        e.lo = None;
        assert_eq!(estimate(&e, figure), "1 (no interval)");
    }
}
