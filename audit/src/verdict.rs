//! The words a trial ends with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The outcome for one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The variant does not run.
    Fails,
    /// The variant's answers are not what the generator's own rows come to.
    Wrong,
    /// The variant is slower than today.
    Regression,
    /// The variant is as fast as today.
    #[serde(rename = "no effect")]
    NoEffect,
    /// Better, but less than the audit promises.
    #[serde(rename = "falls short")]
    FallsShort,
    /// As the audit promises.
    Confirmed,
    /// More than the audit promises.
    Exceeded,
    /// Under load, of today: as the audit says.
    #[serde(rename = "as the audit says")]
    AsSaid,
    /// Under load, of today: surely faster than the audit says.
    #[serde(rename = "faster than the audit says")]
    FasterThanSaid,
    /// Under load, of today: surely slower than the audit says.
    #[serde(rename = "slower than the audit says")]
    SlowerThanSaid,
    /// The evidence does not decide.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fails => "fails",
            Self::Wrong => "wrong",
            Self::Regression => "regression",
            Self::NoEffect => "no effect",
            Self::FallsShort => "falls short",
            Self::Confirmed => "confirmed",
            Self::Exceeded => "exceeded",
            Self::AsSaid => "as the audit says",
            Self::FasterThanSaid => "faster than the audit says",
            Self::SlowerThanSaid => "slower than the audit says",
            Self::Inconclusive => "inconclusive",
        })
    }
}
