//! One figure of a run, and what it is a figure of.

use std::fmt;

use serde::{Deserialize, Serialize};
use verdict_audit::evidence::{Estimate, Ratio};
use verdict_audit::ratio::MIN_ROUNDS;
use verdict_audit::{Counter, Unit};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Measure {
    /// Answers that differ from what is due.
    WrongAnswers,
    /// A counter, per call.
    Work(Counter),
    /// Today ÷ the variant, of the typical call.
    SpeedUp,
    /// Today ÷ the variant, of the 95th percentile.
    TailSpeedUp,
    /// The typical call, microseconds.
    Median,
    /// 95th percentile under load, microseconds.
    P95,
    /// Right answers per second under load.
    Throughput,
}

/// What the place of work with one plan for all parameters ends with.
pub(crate) const GENERIC: &str = ", generic plans";

/// What a figure is a figure of: the same in every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// An item's id, or a flow's.
    pub subject: String,
    /// The variant, or the side.
    pub variant: String,
    /// The operation and where it was called, or the load: `first-page at n = 1000`, `4 users`.
    pub place: String,
    /// What is measured.
    pub measure: Measure,
}

/// A figure with what is known of its noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Of what.
    pub key: Key,
    /// The figure.
    pub value: f64,
    /// Its 95 % interval, of what is timed.
    pub interval: Option<[f64; 2]>,
    /// Rounds or windows behind the interval.
    pub rounds: usize,
}

/// A word that names no measure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is measured by no Verdict of this version")]
pub struct NoMeasure(String);

impl Measure {
    const TIMED: [(Self, &str); 6] = [
        (Self::WrongAnswers, "wrong_answers"),
        (Self::SpeedUp, "speed_up"),
        (Self::TailSpeedUp, "tail_speed_up"),
        (Self::Median, "median_us"),
        (Self::P95, "p95_us"),
        (Self::Throughput, "throughput"),
    ];

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Self::SpeedUp | Self::TailSpeedUp | Self::Throughput)
    }

    /// Whether it is counted, so that a rerun finds it again.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::WrongAnswers | Self::Work(_))
    }

    /// By how much a counted figure may differ from run to run: rows and pages depend on where they
    /// happen to lie and on what earlier calls left beside them, so that a tenth or one of them may
    /// be more, and bytes by a twentieth; so may anything that several callers do at once, since
    /// how many connections they open is a matter of chance. Absent where all of it is, and of what
    /// is timed.
    pub fn slack(self, of: f64, at_once: bool) -> Option<f64> {
        let slack = match self {
            Self::WrongAnswers => return Some(0.0),
            Self::Work(counter) => match counter {
                Counter::FullPageImages
                | Counter::MemoryBytes
                | Counter::PoolWaits
                | Counter::PoolWaitUs => None,
                _ if counter.unit() == Unit::Bytes => Some(0.05 * of),
                Counter::Buffers | Counter::RowsRead | Counter::Hits | Counter::Misses => {
                    Some((0.1 * of).max(1.0))
                }
                _ => Some(0.005 * of),
            },
            _ => None,
        };
        match at_once {
            true => Some(slack?.max(0.05 * of)),
            false => slack,
        }
    }
}

impl Key {
    /// Whether it is of several callers.
    pub fn is_at_once(&self) -> bool {
        self.place.contains(" callers")
    }

    /// Whether a history keeps it: the times and ratios of all, and the work of today and of the
    /// fix that is to be shipped, but for what is a matter of chance.
    pub fn is_kept(&self) -> bool {
        match self.measure {
            Measure::Work(_) => {
                let shipped = ["baseline", "optimized"].contains(&self.variant.as_str());
                shipped
                    && self.measure.slack(0.0, false).is_some()
                    && !self.place.ends_with(GENERIC)
            }
            _ => true,
        }
    }
}

impl Figure {
    /// A figure that was counted.
    pub(crate) fn counted(key: Key, value: f64) -> Self {
        Self {
            key,
            value,
            interval: None,
            rounds: 0,
        }
    }

    /// A figure that was timed, with its interval over rounds or windows.
    pub(crate) fn timed(key: Key, of: Ratio, rounds: usize) -> Self {
        Self {
            key,
            value: of.value,
            interval: Some([of.lo, of.hi]),
            rounds,
        }
    }

    /// The same of an estimate, where it has both ends.
    pub(crate) fn estimated(key: Key, of: &Estimate, rounds: usize) -> Option<Self> {
        let of = Ratio {
            value: of.value,
            lo: of.lo?,
            hi: of.hi?,
        };
        Some(Self::timed(key, of, rounds))
    }

    /// The figure and its interval, where it has one that noise can be told by: all above zero, of
    /// enough rounds.
    pub fn with_interval(&self) -> Option<Ratio> {
        let [lo, hi] = self.interval?;
        let of = Ratio {
            value: self.value,
            lo,
            hi,
        };
        (lo > 0.0 && hi >= lo && self.rounds >= MIN_ROUNDS).then_some(of)
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        let mut timed = Measure::TIMED.iter();
        match (timed.find(|(one, _)| *one == measure), measure) {
            (Some((_, name)), _) => (*name).to_owned(),
            (None, Measure::Work(counter)) => counter.as_str().to_owned(),
            (None, _) => measure.to_string(),
        }
    }
}

impl TryFrom<String> for Measure {
    type Error = NoMeasure;

    fn try_from(name: String) -> Result<Self, NoMeasure> {
        let timed = Self::TIMED.iter().find(|(_, word)| *word == name);
        let counter = || Counter::ALL.into_iter().find(|one| one.as_str() == name);
        timed
            .map(|(measure, _)| *measure)
            .or_else(|| counter().map(Self::Work))
            .ok_or(NoMeasure(name))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WrongAnswers => "wrong answers",
            Self::Work(counter) => counter.words(),
            Self::SpeedUp => "speed-up",
            Self::TailSpeedUp => "speed-up of p95",
            Self::Median => "typical call",
            Self::P95 => "p95",
            Self::Throughput => "answers per second",
        })
    }
}

/// `message-history, optimized, first-page at n = 1000: speed-up`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.subject, self.variant)?;
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        write!(f, ": {}", self.measure)
    }
}
