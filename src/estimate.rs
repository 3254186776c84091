//! How long a run will take, said before it begins: of what it will do, which is counted, and what
//! each of that takes as a rule.

use std::fmt;
use std::time::Duration;

use verdict_audit::VariantName;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Effort, Ladder};
use verdict_scenarios::session::Depth;
use verdict_scenarios::timing::timed_cells;
use verdict_scenarios::trial::additive_effort;
use verdict_seed::World;
use verdict_store::Change;

use crate::budget::budget;
use crate::on_trial::OnTrial;

/// Copies of the world for both sides.
const COPIES: Duration = Duration::from_secs(3);

/// A change there and back, and its price.
const CHANGE: Duration = Duration::from_secs(1);

/// A variant's histories: what is no single call.
const HISTORIES: Duration = Duration::from_secs(1);

/// What a cell takes beside what criterion has for it: how long a call takes is found out, the
/// last round ends late, and the engines' own time is looked into.
const ASIDE: f64 = 2.0;

/// Requests that are asked at once, in answers that are asked one after the other and have writes
/// between them.
const CROWD: u32 = 5;

/// What ClickHouse adds for a world of so many events: it copies, sums up and reads again what
/// PostgreSQL looks up. A run of items 3, 4, 5 and 10 over [`EVENTS`] was seen to take, for each
/// variant 98 s for answers and histories and 22 s for work, for each change 53 s, for each cell
/// 18 s, and for the side of the service that has all fixes 261 s.
const EVENTS: f64 = 9_800_000.0;
const EVENTS_ANSWERS: Duration = Duration::from_secs(90);
const EVENTS_WORK: Duration = Duration::from_secs(20);
const EVENTS_CHANGE: Duration = Duration::from_secs(50);
const EVENTS_CELL: Duration = Duration::from_secs(10);
const EVENTS_SIDE: Duration = Duration::from_secs(250);

/// An answer that is held, with its share of the writes and of the equal reads around them.
fn answer(ladder: Ladder) -> Duration {
    Duration::from_millis(match ladder {
        Ladder::Rows => 5,
        Ladder::Events => 30,
    })
}

/// A place where calls are counted, with plans of either kind where there are some.
fn place(ladder: Ladder) -> Duration {
    Duration::from_millis(match ladder {
        Ladder::Rows => 180,
        Ladder::Events => 600,
    })
}

/// About how long a run takes, once the world is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    /// Ratios of time.
    pub ratios: usize,
    /// Answers held to the oracle, of today's operations on changed schemas too.
    pub answers: Duration,
    /// Work counted.
    pub work: Duration,
    /// Calls timed.
    pub times: Duration,
    /// Copies of the world, and changes with their price.
    pub changes: Duration,
    /// The flows under load.
    pub load: Duration,
}

impl Expected {
    /// All of it.
    pub fn whole(&self) -> Duration {
        self.answers + self.work + self.times + self.changes + self.load
    }
}

/// `about 74 s: 24 s for answers, ...`.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "about {} s", self.whole().as_secs())?;
        let parts = [
            ("answers", self.answers),
            ("work", self.work),
            ("times", self.times),
            ("copies and changes", self.changes),
            ("load", self.load),
        ];
        let parts = parts.into_iter().filter(|(_, part)| !part.is_zero());
        for (number, (name, part)) in parts.enumerate() {
            let before = if number == 0 { ":" } else { "," };
            write!(f, "{before} {} s for {name}", part.as_secs())?;
        }
        Ok(())
    }
}

/// About how long a run takes for all of some items, load apart.
///
/// # Errors
/// A name that no catalogue could have.
pub fn estimate(items: &[OnTrial], world: &World, depth: Depth) -> crate::error::Result<Expected> {
    let mut expected = Expected {
        changes: COPIES,
        ..Expected::default()
    };
    for OnTrial { audit, item } in items {
        let cells = timed_cells(*item, audit, (world, depth))?;
        let events = share_of_events(*item, world);
        expected.ratios += cells;
        expected.times += (EVENTS_CELL * cells as u32).mul_f64(events);
        for (variant, change) in item.variants() {
            expected.answers += answers(*item, &variant, depth) + HISTORIES;
            expected.answers += EVENTS_ANSWERS.mul_f64(events);
            expected.work += work(*item, &variant, world) + EVENTS_WORK.mul_f64(events);
            if !change.is_none() {
                expected.answers += additive(&change);
                expected.changes += CHANGE + EVENTS_CHANGE.mul_f64(events);
            }
        }
    }
    // And today against itself.
    let cells = expected.ratios as u32 + 1;
    expected.times += (budget(depth).measurement * cells).mul_f64(ASIDE);
    Ok(expected)
}

/// What making all fixes for the service takes, before any load.
pub fn side(world: &World) -> Duration {
    EVENTS_SIDE.mul_f64(events(world))
}

/// The events of a world as a share of [`EVENTS`] where an item is asked along them, else nothing.
fn share_of_events(item: &dyn Item, world: &World) -> f64 {
    let operations = item.operations();
    if operations.iter().any(|of| of.ladder() == Ladder::Events) {
        events(world)
    } else {
        0.0
    }
}

fn events(world: &World) -> f64 {
    let cuts = world.cuts().into_iter();
    cuts.map(|cut| cut.events).max().unwrap_or_default() as f64 / EVENTS
}

fn asked(operation: &dyn AnyOperation, effort: Effort) -> Duration {
    let one = answer(operation.ladder());
    let patience = effort.patience.max(one * effort.least as u32);
    (one * effort.answers as u32).min(patience) + one * CROWD * effort.crowds as u32
}

fn answers(item: &dyn Item, variant: &VariantName, depth: Depth) -> Duration {
    let operations = item.operations();
    let held = operations
        .iter()
        .filter(|of| !of.aside() && of.offered_by(variant));
    held.map(|of| asked(&**of, Effort::trial(depth.answers())))
        .sum()
}

fn additive(change: &Change) -> Duration {
    let operations = ITEMS.iter().flat_map(|item| item.operations());
    operations
        .filter_map(|of| Some(asked(&*of, additive_effort(change, &*of)?)))
        .sum()
}

fn work(item: &dyn Item, variant: &VariantName, world: &World) -> Duration {
    let operations = item.operations();
    let counted = operations.iter().filter(|of| of.offered_by(variant));
    counted
        .map(|of| place(of.ladder()) * of.rungs(world).len() as u32)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::on_trial::items;
    use verdict_seed::{Scale, WorldSpec};

    #[test]
    fn a_quick_run_of_three_items_is_expected_to_end_in_time_and_a_full_one_takes_longer() {
        let world = |scale| {
            World::new(WorldSpec {
                scale,
                users: None,
                days: None,
                seed: 1,
            })
        };
        let three = items(&["1", "2", "7"].map(str::to_owned)).unwrap();
        let of = |items: &[OnTrial], scale, depth| estimate(items, &world(scale), depth).unwrap();
        let quick = of(&three, Scale::Quick, Depth::Quick);
        assert!(quick.whole() <= Duration::from_secs(100), "{quick:?}");
        let full = of(&three, Scale::Default, Depth::Full);
        assert!(full.ratios > quick.ratios && full.whole() > quick.whole());
        let one = of(&three[..1], Scale::Quick, Depth::Quick);
        assert!(one.ratios < quick.ratios && one.whole() < quick.whole());
    }

    #[test]
    fn answers_are_expected_to_take_what_they_were_seen_to_and_each_part_is_named() {
        let world = World::new(WorldSpec {
            scale: Scale::Quick,
            users: None,
            days: None,
            seed: 1,
        });
        let three = items(&["1", "2", "7"].map(str::to_owned)).unwrap();
        let mut quick = estimate(&three, &world, Depth::Quick).unwrap();
        // 22 of 67 s were seen.
        let answers = quick.answers.as_secs();
        assert!((18..=32).contains(&answers), "{quick:?}");
        let full = estimate(&three, &world, Depth::Full).unwrap();
        let events = estimate(&items(&["5".to_owned()]).unwrap(), &world, Depth::Quick).unwrap();
        assert!(events.changes > quick.changes && !side(&world).is_zero());
        assert!(full.answers > quick.answers && full.work == quick.work);

        quick.load = Duration::from_secs(9);
        let words = quick.to_string();
        assert!(words.starts_with(&format!(
            "about {} s: {answers} s for answers, ",
            quick.whole().as_secs()
        )));
        assert!(words.ends_with(", 9 s for load"), "{words}");
    }
}
