//! Where on a page something can be written, so that the page is another one after it.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

use crate::timeline::{Key, Timeline};

/// Which page is another one after a write.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Rows before it.
    pub offset: i64,
    /// Rows at most.
    pub limit: i64,
    /// Whether it is cut by its offset alone, so that writes before it move it.
    pub moves: bool,
    /// Where a cursor to it stands, after which all of it is.
    pub after: Option<Key>,
}

impl Timeline {
    /// The rows of a page.
    pub(crate) fn page(&self, offset: i64, limit: i64) -> &[(DateTime<Utc>, Uuid)] {
        let (start, end) = self.bounds(offset, limit);
        &self.rows()[start..end]
    }

    /// An instant between two rows of which the second stands on a page, or after the last row
    /// where the page begins at the end: a row of that instant belongs on the page, and on no
    /// other. None where all rows of the page are of their predecessor's instant.
    pub(super) fn gap(&self, page: Page, random: &mut impl Rng) -> Option<DateTime<Utc>> {
        // As fine as PostgreSQL tells times apart.
        let instant = TimeDelta::microseconds(1);
        let Page { offset, limit, .. } = page;
        let (start, end) = self.bounds(offset, limit);
        let rows = self.rows();
        if limit <= 0 {
            return None;
        }
        let next = |time: DateTime<Utc>| match self.is_newest_first() {
            true => time - instant,
            false => time + instant,
        };
        let is_ahead = |time: DateTime<Utc>, of: DateTime<Utc>| match self.is_newest_first() {
            true => time < of,
            false => time > of,
        };
        let after = page.after.map(|row| row.0);
        if start == end {
            let at_the_end = start == rows.len() && usize::try_from(offset) == Ok(start);
            let last = rows.last().filter(|_| at_the_end)?.0;
            let farther = after.filter(|after| is_ahead(*after, last));
            return Some(next(farther.unwrap_or(last)));
        }
        let gaps: Vec<DateTime<Utc>> = (start..end)
            .filter_map(|place| {
                let before = match self.is_newest_first() {
                    true => rows[place].0 + instant,
                    false => rows[place].0 - instant,
                };
                let last = place.checked_sub(1).map(|last| rows[last].0);
                let mut bounds = last.into_iter().chain(after);
                bounds
                    .all(|bound| is_ahead(before, bound))
                    .then_some(before)
            })
            .collect();
        gaps.choose(random).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a valid second")
    }

    const fn page(offset: i64, limit: i64) -> Page {
        Page {
            offset,
            limit,
            moves: false,
            after: None,
        }
    }

    #[test]
    fn a_gap_is_after_a_cursor_that_stands_on_a_hidden_row() {
        let mut random = rand::rng();
        let keys = || (1..=9).map(|second| (at(10 * second), Uuid::from_u128(second as u128)));
        for (timeline, offset, after) in [
            (Timeline::oldest_first(keys()), 9, at(95)),
            (Timeline::oldest_first(keys()), 4, at(45)),
            (Timeline::newest_first(keys()), 9, at(5)),
            (Timeline::newest_first(keys()), 4, at(55)),
        ] {
            let page = Page {
                after: Some((after, Uuid::nil())),
                ..page(offset, 2)
            };
            let new = timeline.gap(page, &mut random).unwrap();
            let ahead = match timeline.is_newest_first() {
                true => new < after,
                false => new > after,
            };
            assert!(ahead, "{new} and {after}");
        }
    }

    #[test]
    fn a_gap_of_a_page_is_where_a_new_row_changes_that_page() {
        let mut random = rand::rng();
        let keys = || (1..=9).map(|second| (at(second), Uuid::from_u128(second as u128)));
        for timeline in [
            Timeline::oldest_first(keys()),
            Timeline::newest_first(keys()),
        ] {
            for (offset, limit) in [(0, 3), (4, 2), (7, 5), (9, 3)] {
                for _ in 0..20 {
                    let new = timeline.gap(page(offset, limit), &mut random).unwrap();
                    let with = keys().chain([(new, Uuid::nil())]);
                    let after = if timeline.is_newest_first() {
                        Timeline::newest_first(with)
                    } else {
                        Timeline::oldest_first(with)
                    };
                    let shown = after.page(offset, limit);
                    assert!(shown.iter().any(|(_, id)| id.is_nil()), "{offset} {limit}");
                }
            }
            assert_eq!(
                timeline.gap(page(12, 3), &mut random),
                None,
                "beyond the end"
            );
            assert_eq!(
                timeline.gap(page(0, 0), &mut random),
                None,
                "no rows asked for"
            );
        }
        let tied = Timeline::oldest_first((1..=9).map(|id| (at(1), Uuid::from_u128(id))));
        assert_eq!(
            tied.gap(page(3, 3), &mut random),
            None,
            "no instant between ties"
        );
    }
}
