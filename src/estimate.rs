//! How long a run will take, said before it begins.

use std::time::Duration;

use verdict_scenarios::session::Depth;
use verdict_scenarios::timing::timed_cells;
use verdict_seed::World;

use crate::budget::budget;
use crate::on_trial::OnTrial;

/// Copies of the world for both sides, and today against itself.
const BEGINNING: Duration = Duration::from_secs(5);

/// What a cell takes beside what criterion has for it: how long a call takes is found out, the
/// last round ends late, and the engines' own time is looked into.
const ASIDE: f64 = 2.0;

/// What a variant takes beside its cells: its change there and back, answers, work and price.
fn variant(depth: Depth) -> Duration {
    match depth {
        Depth::Full => Duration::from_secs(10),
        Depth::Quick => Duration::from_secs(3),
    }
}

/// Ratios of time that a run takes for items, and about how long it takes for all of them, load
/// apart, once the world is there.
///
/// # Errors
/// A name that no catalogue could have.
pub fn estimate(
    items: &[OnTrial],
    world: &World,
    depth: Depth,
) -> crate::error::Result<(usize, Duration)> {
    let (mut cells, mut variants) = (0, 0);
    for OnTrial { audit, item } in items {
        cells += timed_cells(*item, audit, (world, depth))?;
        variants += item.variants().len();
    }
    let timed = budget(depth).measurement * cells as u32;
    let expected = BEGINNING + timed.mul_f64(ASIDE) + variant(depth) * variants as u32;
    Ok((cells, expected))
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
        assert!(quick.1 <= Duration::from_secs(100), "{quick:?}");
        let full = of(&three, Scale::Default, Depth::Full);
        assert!(full.0 > quick.0 && full.1 > quick.1, "{full:?}");
        let one = of(&three[..1], Scale::Quick, Depth::Quick);
        assert!(one.0 < quick.0 && one.1 < quick.1, "{one:?}");
    }
}
