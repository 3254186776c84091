//! Comparing answers: what may differ between two right answers, and nothing else.
//!
//! Today orders by time alone, so rows of the same instant have no order and a page that is cut
//! inside such a group may hold any of them. The generator's own stream is the oracle: both
//! sides are held to it, and to each other wherever the answer is determined.

use std::collections::HashSet;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use verdict_audit::evidence::Answers;

/// What an ordered list must hold: times and ids, in order of time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    rows: Vec<(DateTime<Utc>, Uuid)>,
}

impl Timeline {
    /// Rows oldest first.
    pub fn oldest_first(mut rows: Vec<(DateTime<Utc>, Uuid)>) -> Self {
        rows.sort_unstable();
        Self { rows }
    }

    /// Rows newest first.
    pub fn newest_first(rows: Vec<(DateTime<Utc>, Uuid)>) -> Self {
        let mut timeline = Self::oldest_first(rows);
        timeline.rows.reverse();
        timeline
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at a place, counted from 0.
    pub fn get(&self, place: usize) -> Option<(DateTime<Utc>, Uuid)> {
        self.rows.get(place).copied()
    }

    /// Holds a page to the oracle: the right number of rows, the right times in the right
    /// order, each row one of those of its instant, none twice.
    pub fn check(
        &self,
        offset: usize,
        limit: usize,
        page: impl ExactSizeIterator<Item = (DateTime<Utc>, Uuid)>,
    ) -> Result<(), String> {
        let expected = &self.rows[offset.min(self.len())..(offset + limit).min(self.len())];
        if page.len() != expected.len() {
            return Err(format!(
                "{} rows where the generator has {}",
                page.len(),
                expected.len()
            ));
        }
        let mut seen = HashSet::new();
        for (place, ((time, id), (due, due_id))) in page.zip(expected).enumerate() {
            let place = offset + place + 1;
            if time != *due {
                return Err(format!(
                    "row {place} is of {time}, the generator's of {due}"
                ));
            }
            if !seen.insert(id) {
                return Err(format!("row {place}, {id}, stands twice in the page"));
            }
            if id != *due_id && !self.at_instant(time).any(|tied| tied == id) {
                return Err(format!(
                    "row {place} is {id}, which the generator does not have at {time}"
                ));
            }
        }
        Ok(())
    }

    fn at_instant(&self, time: DateTime<Utc>) -> impl Iterator<Item = Uuid> {
        let ascending = self.rows.first() <= self.rows.last();
        let start = self.rows.partition_point(|row| {
            if ascending {
                row.0 < time
            } else {
                row.0 > time
            }
        });
        self.rows[start..]
            .iter()
            .take_while(move |row| row.0 == time)
            .map(|row| row.1)
    }
}

/// The count of answers compared and of those that differ.
#[derive(Debug, Default)]
pub struct Tally {
    answers: Answers,
}

impl Tally {
    /// Records the outcome of one request; `request` is only shown when it is the first to differ.
    pub fn record(&mut self, request: impl Debug, outcome: Result<(), String>) {
        self.answers.checked += 1;
        if let Err(difference) = outcome {
            self.answers.differing += 1;
            self.answers
                .first_difference
                .get_or_insert_with(|| format!("{difference}, for {request:?}"));
        }
    }

    /// Records a difference that the item means, with its reason.
    pub fn declare(&mut self, difference: String) {
        self.answers.declared.push(difference);
    }

    /// The evidence.
    pub fn into_answers(self) -> Answers {
        self.answers
    }
}

/// Both sides refused, or both answered.
pub fn same_outcome<A, B>(
    today: verdict_baseline::Result<A>,
    variant: verdict_baseline::Result<B>,
) -> Result<Option<(A, B)>, String> {
    match (today, variant) {
        (Ok(today), Ok(variant)) => Ok(Some((today, variant))),
        (Err(today), Err(variant)) => {
            if today.is_answer() && today.to_string() == variant.to_string() {
                Ok(None)
            } else {
                Err(format!("today refuses: {today}; the variant: {variant}"))
            }
        }
        (Ok(_), Err(variant)) => Err(format!("today answers, the variant refuses: {variant}")),
        (Err(today), Ok(_)) => Err(format!("today refuses: {today}; the variant answers")),
    }
}

/// Equal, or the two values.
pub fn same<T: PartialEq + Debug>(what: &str, today: &T, variant: &T) -> Result<(), String> {
    if today == variant {
        Ok(())
    } else {
        Err(format!("{what}: today {today:?}, the variant {variant:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, id: u128) -> (DateTime<Utc>, Uuid) {
        (
            DateTime::from_timestamp(second, 0).expect("a valid second"),
            Uuid::from_u128(id),
        )
    }

    fn timeline() -> Timeline {
        Timeline::oldest_first(vec![at(1, 1), at(2, 2), at(2, 3), at(3, 4)])
    }

    #[test]
    fn a_page_in_order_is_right() {
        let page = vec![at(1, 1), at(2, 2)];
        assert_eq!(timeline().check(0, 2, page.into_iter()), Ok(()));
    }

    #[test]
    fn tied_rows_may_stand_in_either_order() {
        let page = vec![at(2, 3), at(2, 2), at(3, 4)];
        assert_eq!(timeline().check(1, 3, page.into_iter()), Ok(()));
        let newest = Timeline::newest_first(vec![at(1, 1), at(2, 2), at(2, 3), at(3, 4)]);
        let page = vec![at(3, 4), at(2, 2), at(2, 3)];
        assert_eq!(newest.check(0, 3, page.into_iter()), Ok(()));
    }

    #[test]
    fn a_page_past_the_end_is_empty() {
        assert_eq!(timeline().check(9, 2, Vec::new().into_iter()), Ok(()));
    }

    #[test]
    fn a_missing_doubled_foreign_or_misplaced_row_is_found() {
        for page in [
            vec![at(1, 1)],
            vec![at(2, 2), at(2, 2)],
            vec![at(2, 2), at(2, 9)],
            vec![at(1, 1), at(3, 4)],
        ] {
            let offset = usize::from(page[0] == at(2, 2));
            assert!(timeline().check(offset, 2, page.into_iter()).is_err());
        }
    }

    #[test]
    fn the_first_difference_is_kept() {
        let mut tally = Tally::default();
        tally.record("one", Ok(()));
        tally.record("two", Err("x".to_owned()));
        tally.record("three", Err("y".to_owned()));
        let answers = tally.into_answers();
        assert_eq!((answers.checked, answers.differing), (3, 2));
        assert_eq!(answers.first_difference.as_deref(), Some("x, for \"two\""));
    }
}
