//! What the audit promises for an item.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::counter::{Counter, Quantity};
use crate::names::{OperationName, VariantName};

/// One promise of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Unique within the item, such as `speed-up`.
    pub id: String,
    /// The operation it is judged on; every operation of the item when absent.
    pub operation: Option<OperationName>,
    /// The audit's variant that it is about, where it is about one alone; the fix done right has
    /// to keep it as well.
    pub variant: Option<VariantName>,
    /// What the audit's words come to where it gives no figure.
    pub says: Option<String>,
    /// What is promised.
    #[serde(flatten)]
    pub promise: Promise,
}

/// What a claim promises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "promise", rename_all = "kebab-case")]
pub enum Promise {
    /// Today's is so many times the fix's.
    Ratio {
        /// Of what.
        of: Quantity,
        /// Least factor promised.
        lo: f64,
        /// Greatest factor promised.
        hi: f64,
        /// Where it is judged.
        at: At,
    },
    /// So many per call in place of so many.
    Count {
        /// Of what.
        of: Counter,
        /// Today, as the audit says.
        today: f64,
        /// With the fix.
        fixed: f64,
        /// Where it is judged.
        at: At,
    },
    /// A share of today's is avoided.
    Share {
        /// Of what.
        of: Counter,
        /// Least share promised, from 0 to 1.
        lo: f64,
        /// Greatest share promised.
        hi: f64,
        /// Where it is judged.
        at: At,
    },
    /// Work that grows less with size.
    Growth {
        /// Of what.
        of: Counter,
        /// How it grows today, as the audit says.
        today: Order,
        /// How it grows with the fix, as the audit says.
        fixed: Order,
    },
    /// It runs at all.
    Runs,
    /// Today's operations still run and agree on the changed schema, as they must while a deploy
    /// rolls.
    Additive,
}

/// How work grows with size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Order {
    /// Not at all.
    #[serde(rename = "O(1)")]
    Constant,
    /// With the logarithm.
    #[serde(rename = "O(log n)")]
    Logarithmic,
    /// In proportion.
    #[serde(rename = "O(n)")]
    Linear,
}

impl Claim {
    /// The keys that every claim may have.
    const KEYS: [&'static str; 5] = ["id", "operation", "variant", "says", "promise"];

    /// Whether it is judged for a variant: the one that it names, that one mended, and the fix.
    pub fn is_about(&self, variant: &VariantName) -> bool {
        let named = |only: &VariantName| {
            let mends = match (only, variant) {
                (VariantName::Proposed(of), VariantName::Mended(mended)) => of == mended,
                _ => false,
            };
            mends || only == variant
        };
        *variant == VariantName::Optimized || self.variant.as_ref().is_none_or(named)
    }

    /// Whether a claim has a key of this name in audit.toml.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let own: &[&str] = match self.promise {
            Promise::Ratio { .. } | Promise::Share { .. } => &["of", "lo", "hi", "at"],
            Promise::Count { .. } => &["of", "today", "fixed", "at"],
            Promise::Growth { .. } => &["of", "today", "fixed"],
            Promise::Runs | Promise::Additive => &[],
        };
        Self::KEYS.contains(&key) || own.contains(&key)
    }
}

impl Promise {
    /// Where it is judged; along all of the ladder, or nowhere in particular, when none.
    pub fn at(&self) -> Option<At> {
        match *self {
            Self::Ratio { at, .. } | Self::Count { at, .. } | Self::Share { at, .. } => Some(at),
            Self::Growth { .. } | Self::Runs | Self::Additive => None,
        }
    }

    /// Whether it promises an improvement at all.
    pub(crate) fn is_sound(&self) -> bool {
        match *self {
            Self::Ratio { lo, hi, at, .. } => lo >= 1.0 && hi >= lo && at.n > 0 && at.callers > 0,
            Self::Count {
                today, fixed, at, ..
            } => fixed >= 0.0 && fixed < today && at.n > 0 && at.callers > 0,
            Self::Share { lo, hi, at, .. } => {
                lo > 0.0 && hi >= lo && hi <= 1.0 && at.n > 0 && at.callers > 0
            }
            Self::Growth { today, fixed, .. } => fixed < today,
            Self::Runs | Self::Additive => true,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Constant => "O(1)",
            Self::Logarithmic => "O(log n)",
            Self::Linear => "O(n)",
        })
    }
}

/// `2-4x`, `2-4x, 1 ms away`, `2x or more fewer buffers`, `3 to 1 statements`, `50-80 % fewer statements`,
/// `O(n) to O(1)`, `it runs`.
impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ratio { of, lo, hi, at } => {
                if hi.is_finite() {
                    write!(f, "{lo}-{hi}x")?;
                } else if lo > 1.0 {
                    write!(f, "{lo}x or more")?;
                } else {
                    f.write_str("better")?;
                }
                match of {
                    Quantity::Time => {}
                    Quantity::P95 => f.write_str(" in p95")?,
                    Quantity::Counter(counter) => write!(f, " in {}", counter.words())?,
                }
                match at.round_trip_us {
                    0 => Ok(()),
                    line => write!(f, ", {} ms away", f64::from(line) / 1e3),
                }
            }
            Self::Count {
                of, today, fixed, ..
            } => write!(f, "{today} to {fixed} {}", of.words()),
            Self::Share { of, lo, hi, .. } => write!(
                f,
                "{:.0}-{:.0} % fewer {}",
                lo * 100.0,
                hi * 100.0,
                of.words()
            ),
            Self::Growth {
                of: Counter::RowsRead,
                today,
                fixed,
            } => write!(f, "{today} to {fixed}"),
            Self::Growth { of, today, fixed } => {
                write!(f, "{today} to {fixed} in {}", of.words())
            }
            Self::Runs => f.write_str("it runs"),
            Self::Additive => f.write_str("today still runs on it"),
        }
    }
}
