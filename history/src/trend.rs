//! One figure over many runs.

use chrono::{DateTime, Utc};

use crate::apart::apart;
use crate::change_points::change_points;
use crate::figure::Key;
use crate::record::Record;

/// A figure over many runs of the same kind, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Of what.
    pub key: Key,
    /// One of each run that has it.
    pub points: Vec<Point>,
    /// Where it begins to be another: the index of the first point after each change.
    pub changes: Vec<usize>,
}

/// A figure of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Start of the run.
    pub time: DateTime<Utc>,
    /// Its commit.
    pub commit: Option<String>,
    /// The figure.
    pub value: f64,
}

impl Trend {
    /// The figures in question of runs that may be held against the last of them, with their
    /// change-points; in the order of keys.
    pub fn all(records: &[Record], wanted: impl Fn(&Key) -> bool) -> Vec<Self> {
        let Some(last) = records.last() else {
            return Vec::new();
        };
        let alike: Vec<&Record> = records
            .iter()
            .filter(|record| apart(record, last).is_empty())
            .collect();
        last.figures
            .iter()
            .filter(|figure| wanted(&figure.key))
            .map(|figure| Self::of(&figure.key, &alike))
            .collect()
    }

    fn of(key: &Key, records: &[&Record]) -> Self {
        let points: Vec<Point> = records
            .iter()
            .filter_map(|record| {
                Some(Point {
                    time: record.run.time,
                    commit: record.run.commit.clone(),
                    value: record.figure(key)?.value,
                })
            })
            .collect();
        // What is timed differs by factors, what is counted by amounts.
        let series: Vec<f64> = points
            .iter()
            .map(|point| match key.measure.is_counted() {
                true => point.value,
                false => point.value.max(f64::MIN_POSITIVE).ln(),
            })
            .collect();
        Self {
            key: key.clone(),
            changes: change_points(&series),
            points,
        }
    }
}
