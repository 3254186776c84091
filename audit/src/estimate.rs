//! Figures with their 95 % intervals.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Point estimate.
    pub value: f64,
    /// Lower end; absent when the sample is too small to bound it.
    pub lo: Option<f64>,
    /// Upper end; absent when the sample is too small to bound it.
    pub hi: Option<f64>,
}

/// A ratio with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Point estimate.
    pub value: f64,
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// `2.31x (2.25-2.38)`: three digits where it is small, whole where it is large.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let factor = |value: f64| {
            let digits = match value {
                v if v >= 99.95 => 0,
                v if v >= 9.995 => 1,
                v if v >= 0.0995 => 2,
                _ => 4,
            };
            format!("{value:.digits$}")
        };
        let Self { value, lo, hi } = *self;
        write!(f, "{}x ({}-{})", factor(value), factor(lo), factor(hi))
    }
}
