//! An order in which rows of one instant may change places, and nothing else may.
//!
//! Today orders by time alone, so rows of the same instant have no order, and a page that is cut
//! inside such a group may hold any of them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::difference::{Difference, Held, same};

/// A row's time and id.
pub type Key = (DateTime<Utc>, Uuid);

/// What an ordered list must hold.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    rows: Vec<Key>,
    newest_first: bool,
}

impl Timeline {
    /// Rows oldest first.
    pub fn oldest_first(rows: impl IntoIterator<Item = Key>) -> Self {
        let mut rows: Vec<Key> = rows.into_iter().collect();
        rows.sort_unstable();
        Self {
            rows,
            newest_first: false,
        }
    }

    /// Rows newest first.
    pub fn newest_first(rows: impl IntoIterator<Item = Key>) -> Self {
        let mut timeline = Self::oldest_first(rows);
        timeline.rows.reverse();
        timeline.newest_first = true;
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

    /// Adds a row that is not there.
    pub(crate) fn insert(&mut self, row: Key) {
        self.rows.insert(self.place(row), row);
    }

    /// Takes a row away, if it is there.
    pub(crate) fn remove(&mut self, row: Key) {
        let place = self.place(row);
        if self.rows.get(place) == Some(&row) {
            self.rows.remove(place);
        }
    }

    /// How many rows are before a row, which need not be there.
    pub(crate) fn place(&self, row: Key) -> usize {
        self.rows.partition_point(|other| match self.newest_first {
            true => *other > row,
            false => *other < row,
        })
    }

    pub(crate) fn rows(&self) -> &[Key] {
        &self.rows
    }

    pub(crate) fn is_newest_first(&self) -> bool {
        self.newest_first
    }

    /// Where a page begins and ends.
    pub(crate) fn bounds(&self, offset: i64, limit: i64) -> (usize, usize) {
        let start = usize::try_from(offset).unwrap_or(0).min(self.len());
        let end = (start + usize::try_from(limit).unwrap_or(0)).min(self.len());
        (start, end)
    }

    /// The row before a place that is counted from 0, which is where a cursor to it stands.
    pub fn before(&self, place: usize) -> Option<Key> {
        self.rows.get(place.checked_sub(1)?).copied()
    }

    /// How many rows stand up to a row that may not be there itself, as one that was deleted:
    /// where a page behind it begins.
    pub fn up_to(&self, row: Key) -> usize {
        self.rows.partition_point(|other| {
            if self.newest_first {
                *other >= row
            } else {
                *other <= row
            }
        })
    }

    /// The first rows, and those of the instant of the last of them.
    pub fn head(&self, rows: usize) -> Self {
        let cut = match rows.checked_sub(1).and_then(|last| self.rows.get(last)) {
            Some(last) => {
                rows + self.rows[rows..]
                    .iter()
                    .take_while(|row| row.0 == last.0)
                    .count()
            }
            None => rows.min(self.len()),
        };
        Self {
            rows: self.rows[..cut].to_vec(),
            newest_first: self.newest_first,
        }
    }

    /// Holds a page of which only the ids were read to the order, which costs next to nothing.
    ///
    /// # Errors
    /// The first row that is wrong, counted from 1.
    pub fn hold_ids(
        &self,
        offset: usize,
        limit: usize,
        page: impl ExactSizeIterator<Item = Uuid>,
    ) -> Held {
        // An id is right at the instant that is due at its place, or not at all.
        let at = |place: usize| self.rows.get(offset + place).map(|row| row.0);
        let page = page
            .enumerate()
            .map(|(place, id)| (at(place).unwrap_or_default(), id));
        self.hold(offset as i64, limit as i64, page)
    }

    /// Holds a page to the order: the right number of rows, the right times in the right
    /// order, each row one of those of its instant, none twice.
    ///
    /// # Errors
    /// The first row that is wrong, counted from 1.
    pub fn hold(&self, offset: i64, limit: i64, page: impl ExactSizeIterator<Item = Key>) -> Held {
        let (start, end) = self.bounds(offset, limit);
        let due = &self.rows[start..end];
        same("rows", &due.len(), &page.len())?;
        let mut seen = HashSet::new();
        for (place, (answered, due)) in (start + 1..).zip(page.zip(due)) {
            let wrong = |words: String| Err(Difference(format!("row {place} {words}")));
            if answered.0 != due.0 {
                return wrong(format!(
                    "is {} of {}, and the generator's is {} of {}",
                    answered.1, answered.0, due.1, due.0
                ));
            }
            if !seen.insert(answered.1) {
                return wrong(format!("is {}, which stands twice in the page", answered.1));
            }
            if answered != *due && !self.at_instant(answered.0).any(|tied| tied == answered.1) {
                return wrong(format!(
                    "is {}, which the generator does not have at {}",
                    answered.1, answered.0
                ));
            }
        }
        Ok(())
    }

    fn at_instant(&self, time: DateTime<Utc>) -> impl Iterator<Item = Uuid> {
        let start = self.rows.partition_point(|row| {
            if self.newest_first {
                row.0 > time
            } else {
                row.0 < time
            }
        });
        self.rows[start..]
            .iter()
            .take_while(move |row| row.0 == time)
            .map(|row| row.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, id: u128) -> Key {
        (
            DateTime::from_timestamp(second, 0).expect("a valid second"),
            Uuid::from_u128(id),
        )
    }

    const fn rows() -> [(i64, u128); 4] {
        [(1, 1), (2, 2), (2, 3), (3, 4)]
    }

    fn oldest_first() -> Timeline {
        Timeline::oldest_first(rows().map(|(second, id)| at(second, id)))
    }

    #[test]
    fn a_page_in_order_is_right() {
        let page = vec![at(1, 1), at(2, 2)];
        assert_eq!(oldest_first().hold(0, 2, page.into_iter()), Ok(()));
    }

    #[test]
    fn tied_rows_may_stand_in_either_order() {
        let page = vec![at(2, 3), at(2, 2), at(3, 4)];
        assert_eq!(oldest_first().hold(1, 3, page.into_iter()), Ok(()));
        let newest = Timeline::newest_first(rows().map(|(second, id)| at(second, id)));
        let page = vec![at(3, 4), at(2, 2), at(2, 3)];
        assert_eq!(newest.hold(0, 3, page.into_iter()), Ok(()));
    }

    #[test]
    fn rows_that_are_all_of_one_instant_are_known_newest_first_too() {
        let newest = Timeline::newest_first([at(2, 2), at(2, 3), at(2, 5)]);
        let page = vec![at(2, 2), at(2, 5)];
        assert_eq!(newest.hold(0, 2, page.into_iter()), Ok(()));
    }

    #[test]
    fn ids_alone_are_held_to_the_order_as_whole_keys_are() {
        let id = Uuid::from_u128;
        let held = |ids: &[u128]| oldest_first().hold_ids(0, 3, ids.iter().copied().map(id));
        assert_eq!(held(&[1, 2, 3]), Ok(()));
        assert_eq!(held(&[1, 3, 2]), Ok(()));
        for wrong in [
            &[1, 2][..],
            &[1, 2, 2],
            &[2, 1, 3],
            &[1, 2, 9],
            &[1, 2, 3, 4],
        ] {
            assert!(held(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_page_behind_a_row_begins_at_the_same_place_when_that_row_is_gone() {
        let keys = || rows().map(|(second, id)| at(second, id));
        for gone in 0..4 {
            let others = || (0..4).filter(|row| *row != gone).map(|row| keys()[row]);
            let row = keys()[gone];
            assert_eq!(oldest_first().up_to(row), gone + 1);
            assert_eq!(Timeline::oldest_first(others()).up_to(row), gone);
            assert_eq!(Timeline::newest_first(keys()).up_to(row), 4 - gone);
            assert_eq!(Timeline::newest_first(others()).up_to(row), 3 - gone);
        }
    }

    #[test]
    fn a_row_is_added_and_taken_away_where_it_belongs_in_either_order() {
        for newest_first in [false, true] {
            let of = |rows: &[(i64, u128)]| {
                let rows = rows.iter().map(|(second, id)| at(*second, *id));
                match newest_first {
                    true => Timeline::newest_first(rows),
                    false => Timeline::oldest_first(rows),
                }
            };
            for new in [(0, 9), (2, 1), (2, 9), (4, 0)] {
                let mut timeline = of(&rows());
                timeline.insert(at(new.0, new.1));
                let due: Vec<_> = rows().into_iter().chain([new]).collect();
                assert_eq!(timeline.rows, of(&due).rows);
                timeline.remove(at(new.0, new.1));
                timeline.remove(at(7, 7));
                assert_eq!(timeline.rows, of(&rows()).rows);
            }
        }
    }

    #[test]
    fn a_head_ends_after_the_rows_that_are_tied_with_its_last() {
        for (rows, kept) in [(0, 0), (1, 1), (2, 3), (3, 3), (4, 4), (9, 4)] {
            assert_eq!(oldest_first().head(rows).len(), kept);
        }
    }

    #[test]
    fn a_page_past_the_end_and_a_page_of_no_rows_are_empty() {
        assert_eq!(oldest_first().hold(9, 2, Vec::new().into_iter()), Ok(()));
        assert_eq!(oldest_first().hold(0, 0, Vec::new().into_iter()), Ok(()));
        assert!(
            oldest_first()
                .hold(9, 2, vec![at(3, 4)].into_iter())
                .is_err()
        );
    }

    #[test]
    fn a_missing_doubled_foreign_or_misplaced_row_is_found() {
        for page in [
            vec![at(1, 1)],
            vec![at(2, 2), at(2, 2)],
            vec![at(2, 2), at(2, 9)],
            vec![at(1, 1), at(3, 4)],
        ] {
            let offset = i64::from(page[0] == at(2, 2));
            assert!(oldest_first().hold(offset, 2, page.into_iter()).is_err());
        }
    }
}
