//! The order in which the two sides take turns.

use verdict_audit::Side;

/// Both sides.
pub(super) const SIDES: [Side; 2] = [Side::Baseline, Side::Optimized];

/// One of each side.
#[derive(Debug, Clone, Default)]
pub(super) struct Sides<T> {
    pub baseline: T,
    pub optimized: T,
}

impl<T> Sides<T> {
    /// The one of a side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Baseline => &self.baseline,
            Side::Optimized => &self.optimized,
        }
    }

    /// The one of a side, to change it.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Baseline => &mut self.baseline,
            Side::Optimized => &mut self.optimized,
        }
    }

    /// Something else of each side.
    pub fn map<U>(&self, of: impl Fn(&T) -> U) -> Sides<U> {
        Sides {
            baseline: of(&self.baseline),
            optimized: of(&self.optimized),
        }
    }
}

/// The side of the `turn`-th window, from 0: B O, O B, B O, ... Each side goes first as often as
/// the other, so that neither a drift of the machine nor what the first one leaves behind
/// favours one of them.
pub(super) fn side(turn: usize) -> Side {
    let (pair, second) = (turn / 2, turn % 2 == 1);
    if pair.is_multiple_of(2) == second {
        Side::Optimized
    } else {
        Side::Baseline
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Baseline, Optimized};

    #[test]
    fn the_sides_take_turns_and_each_goes_first_as_often() {
        let order: Vec<Side> = (0..8).map(side).collect();
        assert_eq!(
            order,
            [
                Baseline, Optimized, Optimized, Baseline, Baseline, Optimized, Optimized, Baseline
            ]
        );
    }

    #[test]
    fn each_pair_of_turns_holds_both_sides() {
        for pair in 0..100 {
            assert_ne!(side(2 * pair), side(2 * pair + 1));
        }
    }

    #[test]
    fn over_four_turns_both_sides_stand_in_the_middle_of_the_same_moment() {
        let mean = |of: Side| (0..4).filter(|turn| side(*turn) == of).sum::<usize>();
        assert_eq!(mean(Baseline), mean(Optimized));
    }
}
