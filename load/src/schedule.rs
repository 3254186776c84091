//! The order in which the two sides take turns.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use verdict_audit::Side;

/// Whose turn it is, window after window.
#[derive(Debug)]
pub(crate) struct Turns {
    next: u64,
    /// From the opening of one window to that of the next, when the wall clock decides.
    period: Option<Duration>,
}

impl Turns {
    /// One window after the other, as soon as the one before is over.
    pub fn alone() -> Self {
        Self {
            next: 0,
            period: None,
        }
    }

    /// Windows of this length by the wall clock, so that generators that know nothing of each
    /// other are at the same side at the same time. Between two windows lies a quarter of one
    /// for the requests that are still on their way.
    pub fn by_clock(window: Duration) -> Self {
        let period = window.mul_f64(1.25);
        Self {
            next: first(since_1970(), period),
            period: Some(period),
        }
    }

    /// Waits until the next window may open; its side.
    pub async fn next(&mut self) -> Side {
        if let Some(period) = self.period {
            let now = since_1970();
            self.next = upcoming(now, period, self.next);
            tokio::time::sleep(opening(self.next, period).saturating_sub(now)).await;
        }
        let side = side(self.next);
        self.next += 1;
        side
    }
}

fn since_1970() -> Duration {
    // A clock before 1970 is as good as any other for taking turns.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn opening(turn: u64, period: Duration) -> Duration {
    period.mul_f64(turn as f64)
}

/// The first turn that opens from now on and begins a pair, which even turns do.
fn first(now: Duration, period: Duration) -> u64 {
    (now.div_duration_f64(period) / 2.0).ceil() as u64 * 2
}

/// The turn to be taken next: the one that is due or, when that has passed, the next one of the
/// same side and place in its pair.
fn upcoming(now: Duration, period: Duration, due: u64) -> u64 {
    let mut turn = due;
    while opening(turn, period) < now {
        turn += PATTERN;
    }
    turn
}

/// Turns after which the order of the sides repeats.
const PATTERN: u64 = 4;

/// The side of the `turn`-th window, from 0: B O, O B, B O, ... Each side goes first as often as
/// the other, so that neither a drift of the machine nor what the first one leaves behind
/// favours one of them.
pub(crate) fn side(turn: u64) -> Side {
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
        let mean = |of: Side| (0..4).filter(|turn| side(*turn) == of).sum::<u64>();
        assert_eq!(mean(Baseline), mean(Optimized));
    }

    #[test]
    fn generators_that_start_apart_are_at_the_same_side_at_the_same_time() {
        let period = Duration::from_millis(1_500);
        let at = |ms: u64| Duration::from_millis(1_700_000_000_000 + ms);
        for (one, other) in [(0, 10), (100, 1_400), (1_600, 9_000), (5, 60_000)] {
            let turns = [first(at(one), period), first(at(other), period)];
            let opens = turns.map(|turn| opening(turn, period));
            assert!(opens[0] >= at(one) && opens[1] >= at(other));
            // Both begin with a pair, and an instant has one turn, which has one side.
            assert!(turns.iter().all(|turn| turn % 2 == 0));
            assert_eq!(turns[0] == turns[1], opens[0] == opens[1]);
        }
    }

    #[test]
    fn a_turn_that_was_missed_is_taken_later_and_by_the_same_side() {
        let period = Duration::from_secs(1);
        assert_eq!(upcoming(Duration::from_millis(9_900), period, 10), 10);
        let late = upcoming(Duration::from_millis(10_100), period, 10);
        assert!(late > 10 && opening(late, period) > Duration::from_millis(10_100));
        assert_eq!(side(late), side(10));
        assert_eq!(late % 2, 0);
    }
}
