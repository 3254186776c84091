//! The ladder of events: parts of the world that hold fewer posts, each as dense as the whole.
//!
//! A post is in a part by the first 32 bits of its id, which are as good as a hash of it; what
//! was done to a post goes with it. As ids are written in hexadecimal, a part's posts are also
//! those whose ids sort before eight digits.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::world::World;

/// A part of the world, or the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cut {
    /// Events in it, about: likes, comments and views of the last 90 days.
    pub events: u64,
    /// The first 32 bits of the first id that is not in it; none of the whole.
    below: Option<u32>,
}

impl Cut {
    /// Whether a post is in it.
    pub fn keeps(self, post: Uuid) -> bool {
        let [a, b, c, d, ..] = post.into_bytes();
        self.below
            .is_none_or(|below| u32::from_be_bytes([a, b, c, d]) < below)
    }

    /// What the ids of its posts sort before, as texts; none of the whole.
    pub fn before(self) -> Option<String> {
        self.below.map(|below| format!("{below:08x}"))
    }

    /// Which rows of ClickHouse's tables are in it, as conditions; of a table that is not among
    /// them every row is.
    pub fn rows(self) -> BTreeMap<&'static str, String> {
        const COLUMNS: [(&str, &str); 4] = [
            ("posts_cdc", "id"),
            ("likes_cdc", "post_id"),
            ("comments_cdc", "post_id"),
            ("post_events", "post_id"),
        ];
        let before = self.before();
        let condition =
            |(table, column)| Some((table, format!("{column} < '{}'", before.as_ref()?)));
        COLUMNS.into_iter().filter_map(condition).collect()
    }

    /// Whether it is the whole world.
    pub fn is_whole(self) -> bool {
        self.below.is_none()
    }
}

impl World {
    /// The rungs of the ladder of events, ascending; the last one is the whole world.
    pub fn cuts(&self) -> Vec<Cut> {
        let whole = self.sizes.events;
        let first = if whole < 100_000 { 1_000 } else { 10_000 };
        let parts = std::iter::successors(Some(first), |events| Some(events * 10));
        let parts = parts.take_while(|events| *events < whole).map(|events| {
            let share = (u128::from(events) << 32) / u128::from(whole);
            Cut {
                events,
                below: Some(share as u32),
            }
        });
        parts.chain([self.whole()]).collect()
    }

    /// The last rung: all of it.
    pub fn whole(&self) -> Cut {
        Cut {
            events: self.sizes.events,
            below: None,
        }
    }

    /// The rung of so many events, if there is one.
    pub fn cut(&self, events: u64) -> Option<Cut> {
        self.cuts().into_iter().find(|cut| cut.events == events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scale, WorldSpec};

    fn world(scale: Scale) -> World {
        World::new(WorldSpec {
            scale,
            users: None,
            days: None,
            seed: 1,
        })
    }

    #[test]
    fn the_ladder_of_events_is_one_of_decades_up_to_the_whole() {
        let rungs = |scale| -> Vec<u64> {
            let cuts = world(scale).cuts();
            assert!(cuts.last().is_some_and(|cut| cut.is_whole()));
            cuts.iter().map(|cut| cut.events).collect()
        };
        assert_eq!(rungs(Scale::Smoke), [1_000, 10_000, 30_000]);
        assert_eq!(rungs(Scale::Quick), [10_000, 100_000, 1_000_000]);
        assert_eq!(
            rungs(Scale::Default),
            [10_000, 100_000, 1_000_000, 10_000_000]
        );
    }

    #[test]
    fn a_part_keeps_its_share_of_posts_and_its_text_says_the_same() {
        let world = world(Scale::Smoke);
        let ids: Vec<Uuid> = (0..world.users())
            .flat_map(|index| world.interactions(index))
            .map(|post| post.post)
            .collect();
        for cut in world.cuts() {
            let kept = ids.iter().filter(|id| cut.keeps(**id)).count() as f64;
            let due = ids.len() as f64 * cut.events as f64 / 30_000.0;
            assert!((kept / due - 1.0).abs() < 0.5, "{kept} for {due}");
            let text = cut.before();
            assert!(ids.iter().all(|id| {
                let sorts = text.as_ref().is_none_or(|text| id.to_string() < *text);
                sorts == cut.keeps(*id)
            }));
        }
    }
}
