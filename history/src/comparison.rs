//! Two runs side by side.
//!
//! What was counted is compared as it is, within the margin of its kind. What was timed is
//! compared where both runs have an interval: the later figure ÷ the earlier one, with both runs'
//! errors, at the level at which all that are compared hold together (Bonferroni), so that a
//! comparison of two runs of the same code names a difference once in twenty times. Ratios of two
//! sides were taken in the same minutes of the same machine and are what is told by; a time by
//! itself says as much about the machine as about the code, so today's times beside each variant
//! are only used to say how the machine has moved.

use verdict_audit::Verdict;
use verdict_audit::evidence::Ratio;
use verdict_audit::latency::Zero;
use verdict_audit::ratio::geometric_mean;

use crate::apart::{Apart, apart};
use crate::figure::{Figure, Measure};
use crate::record::Record;

/// Which way a figure went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Surely for the worse.
    Worse,
    /// Surely for the better.
    Better,
    /// Not surely either.
    Same,
}

/// A figure in both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In the earlier run.
    pub before: Figure,
    /// In the later one.
    pub after: Figure,
    /// Later ÷ earlier, with the interval that the word rests on; of what was timed.
    pub ratio: Option<Ratio>,
    /// Which way it went.
    pub way: Way,
}

/// A verdict that is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// `item, variant, claim`.
    pub of: String,
    /// In the earlier run.
    pub before: Verdict,
    /// In the later one.
    pub after: Verdict,
}

/// Two runs side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What differs beside the code.
    pub apart: Vec<Apart>,
    /// Every figure that both have and that can be told apart from noise, in the order of keys.
    pub changes: Vec<Change>,
    /// Verdicts that are others now.
    pub turns: Vec<Turn>,
    /// How today's own calls moved, later ÷ earlier: the machine, where the code of today is the
    /// same. Absent with fewer than two of them.
    pub machine: Option<Ratio>,
    /// Figures that only the earlier run has.
    pub only_before: usize,
    /// Figures that only the later one has.
    pub only_after: usize,
}

impl Comparison {
    /// Of two runs, the earlier one first.
    pub fn of(before: &Record, after: &Record) -> Self {
        let both: Vec<(&Figure, &Figure)> = before
            .figures
            .iter()
            .filter_map(|figure| Some((figure, after.figure(&figure.key)?)))
            .collect();
        let timed = both.iter().filter(|pair| is_judged(pair)).count();
        let missing = |from: &Record, of: &Record| {
            let figures = of.figures.iter();
            figures
                .filter(|one| from.figure(&one.key).is_none())
                .count()
        };
        Self {
            apart: apart(before, after),
            changes: both
                .iter()
                .filter_map(|pair| change(*pair, timed))
                .collect(),
            turns: turns(before, after),
            machine: machine(&both),
            only_before: missing(after, before),
            only_after: missing(before, after),
        }
    }

    /// The figures that surely went one way.
    pub fn that_went(&self, way: Way) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.way == way)
    }
}

/// Ratios of two sides in the same minutes.
fn is_told_by(measure: Measure) -> bool {
    matches!(measure, Measure::SpeedUp | Measure::TailSpeedUp)
}

fn is_judged((before, after): &(&Figure, &Figure)) -> bool {
    is_told_by(before.key.measure)
        && before.with_interval().is_some()
        && after.with_interval().is_some()
}

fn change((before, after): (&Figure, &Figure), timed: usize) -> Option<Change> {
    let measure = before.key.measure;
    let (ratio, way) = if measure.is_counted() {
        let slack = measure.slack(before.value.max(after.value), before.key.is_at_once())?;
        (None, counted(before.value, after.value, slack))
    } else if is_told_by(measure) {
        let ratio = later_to_earlier(before, after)?.among(timed, before.rounds.min(after.rounds));
        let way = match ratio {
            Ratio { lo, .. } if lo > 1.0 => Way::Better,
            Ratio { hi, .. } if hi < 1.0 => Way::Worse,
            _ => Way::Same,
        };
        (Some(ratio), way)
    } else {
        return None;
    };
    Some(Change {
        before: before.clone(),
        after: after.clone(),
        ratio,
        way,
    })
}

/// Less work, and fewer wrong answers, are better.
fn counted(before: f64, after: f64, slack: f64) -> Way {
    match after - before {
        more if more > slack => Way::Worse,
        more if -more > slack => Way::Better,
        _ => Way::Same,
    }
}

fn later_to_earlier(before: &Figure, after: &Figure) -> Option<Ratio> {
    let zero = Zero {
        ratio: before.with_interval()?,
        rounds: before.rounds,
    };
    Some(after.with_interval()?.relative_to(zero, after.rounds))
}

/// Cells are not independent of each other, so this is how they lie, and no verdict rests on it.
fn machine(both: &[(&Figure, &Figure)]) -> Option<Ratio> {
    let todays = both.iter().filter(|(before, _)| {
        before.key.measure == Measure::Median && before.key.variant.starts_with("baseline")
    });
    let moved: Vec<f64> = todays
        .map(|(before, after)| after.value / before.value)
        .filter(|moved| moved.is_finite() && *moved > 0.0)
        .collect();
    geometric_mean(&moved)
}

fn turns(before: &Record, after: &Record) -> Vec<Turn> {
    let mut turns = Vec::new();
    for now in &after.verdicts {
        let mut earlier = before.verdicts.iter();
        let same = earlier.find(|one| {
            (&one.subject, &one.variant, &one.claim) == (&now.subject, &now.variant, &now.claim)
        });
        if let Some(was) = same.filter(|was| was.verdict != now.verdict) {
            turns.push(Turn {
                of: format!("{}, {}, {}", now.subject, now.variant, now.claim),
                before: was.verdict,
                after: now.verdict,
            });
        }
    }
    turns
}
