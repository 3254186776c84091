//! Where on a page something can be written, so that the page is another one after it.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

use crate::timeline::Timeline;

impl Timeline {
    /// The rows of a page.
    pub(super) fn page(&self, offset: i64, limit: i64) -> &[(DateTime<Utc>, Uuid)] {
        let (start, end) = self.bounds(offset, limit);
        &self.rows()[start..end]
    }

    /// An instant between two rows of which the second stands on a page, or after the last row
    /// where the page begins at the end: a row of that instant belongs on the page, and on no
    /// other. None where all rows of the page are of their predecessor's instant.
    pub(super) fn gap(
        &self,
        offset: i64,
        limit: i64,
        random: &mut impl Rng,
    ) -> Option<DateTime<Utc>> {
        // Newer by one microsecond, which is as fine as PostgreSQL tells times apart.
        let instant = TimeDelta::microseconds(1);
        let (start, end) = self.bounds(offset, limit);
        let rows = self.rows();
        if limit <= 0 {
            return None;
        }
        if start == end {
            let at_the_end = start == rows.len() && usize::try_from(offset) == Ok(start);
            let last = rows.last().filter(|_| at_the_end)?.0;
            return Some(if self.is_newest_first() {
                last - instant
            } else {
                last + instant
            });
        }
        let gaps: Vec<DateTime<Utc>> = (start..end)
            .filter_map(|place| {
                let before = match self.is_newest_first() {
                    true => rows[place].0 + instant,
                    false => rows[place].0 - instant,
                };
                let free = place == 0
                    || match self.is_newest_first() {
                        true => before < rows[place - 1].0,
                        false => before > rows[place - 1].0,
                    };
                free.then_some(before)
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
                    let new = timeline.gap(offset, limit, &mut random).unwrap();
                    let with = keys().chain([(new, Uuid::nil())]);
                    let after = if timeline.is_newest_first() {
                        Timeline::newest_first(with)
                    } else {
                        Timeline::oldest_first(with)
                    };
                    let page = after.page(offset, limit);
                    assert!(page.iter().any(|(_, id)| id.is_nil()), "{offset} {limit}");
                }
            }
            assert_eq!(timeline.gap(12, 3, &mut random), None, "beyond the end");
            assert_eq!(timeline.gap(0, 0, &mut random), None, "no rows asked for");
        }
        let tied = Timeline::oldest_first((1..=9).map(|id| (at(1), Uuid::from_u128(id))));
        assert_eq!(tied.gap(3, 3, &mut random), None, "no instant between ties");
    }
}
