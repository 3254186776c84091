//! What a slower line does to a pair, foretold from the turns on the wire: each call takes as much
//! longer as its turns add up to, one after the other.

use crate::at::At;
use crate::counter::Counter;
use crate::evidence::{ItemEvidence, Latency, Results, VariantEvidence};
use crate::names::{OperationName, VariantName};
use crate::timed::counted;
use crate::warning::Warning;

/// How far apart foretold and measured may be, as a share.
const APART: f64 = 0.10;

/// A pair with nothing between it and the engine, and the turns of its calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direct {
    /// What a round trip takes, microseconds.
    round_trip: f64,
    /// What a call takes on either side, microseconds, today's first.
    calls: [f64; 2],
    /// Turns of a call on either side.
    turns: [f64; 2],
}

impl Direct {
    /// What is known of a variant beside today at a rung; none where times, turns or the round
    /// trip were not measured there.
    pub fn of(
        item: &ItemEvidence,
        variant: &VariantEvidence,
        operation: &OperationName,
        n: u64,
    ) -> Option<Self> {
        let mut sides = item.variants.iter();
        let today = sides.find(|side| side.name == VariantName::Baseline)?;
        let cell = at(variant, operation, At::rung(n))?;
        let now = cell.variant.p50;
        Some(Self {
            round_trip: cell.measured_round_trip_us?,
            calls: [cell.ratio?.value * now, now],
            turns: [
                counted(today, cell, Counter::WireTurns)?,
                counted(variant, cell, Counter::WireTurns)?,
            ],
        })
    }

    /// What a round trip takes, microseconds.
    pub fn round_trip(&self) -> f64 {
        self.round_trip
    }

    /// Baseline ÷ variant where a round trip takes so many microseconds.
    pub fn foretold(&self, round_trip: f64) -> f64 {
        let longer = (round_trip - self.round_trip).max(0.0);
        let [today, now] = [0, 1].map(|side| self.calls[side] + self.turns[side] * longer);
        today / now
    }

    /// Where the ratio comes to so much, in microseconds of a round trip; none where no slower
    /// line makes it so.
    pub fn crosses(&self, ratio: f64) -> Option<f64> {
        let [[today, now], [turns_today, turns_now]] = [self.calls, self.turns];
        let longer = (ratio * now - today) / (turns_today - ratio * turns_now);
        (longer.is_finite() && longer > 0.0).then_some(self.round_trip + longer)
    }
}

/// What an operation was timed at on slower lines.
pub fn on_lines<'a>(
    variant: &'a VariantEvidence,
    operation: &'a OperationName,
) -> impl Iterator<Item = &'a Latency> {
    let cells = variant.latency.iter();
    cells.filter(move |cell| {
        cell.operation == *operation && cell.at.callers == 1 && cell.at.round_trip_us > 0
    })
}

/// Where what was measured on a line is not what the turns foretell: turns that overlap, or an
/// engine that works while it waits.
pub fn parted(results: &Results) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for item in &results.items {
        for variant in &item.variants {
            for cell in &variant.latency {
                let lines = cell.at.callers == 1 && cell.at.round_trip_us > 0;
                let direct = Direct::of(item, variant, &cell.operation, cell.at.n);
                let (true, Some(direct), Some(ratio), Some(round_trip)) =
                    (lines, direct, cell.ratio, cell.measured_round_trip_us)
                else {
                    continue;
                };
                let foretold = direct.foretold(round_trip);
                if (foretold / ratio.value).ln().abs() > APART.ln_1p() {
                    warnings.push(Warning::LineParted {
                        item: item.id.clone(),
                        variant: variant.name.clone(),
                        operation: cell.operation.clone(),
                        at: cell.at,
                        measured: ratio.to_string(),
                        foretold: format!("{foretold:.2}x"),
                    });
                }
            }
        }
    }
    warnings
}

fn at<'a>(side: &'a VariantEvidence, operation: &OperationName, at: At) -> Option<&'a Latency> {
    let mut cells = side.latency.iter();
    cells.find(|cell| cell.operation == *operation && cell.at == at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine turns to three, 600 µs to 400.
    const DIRECT: Direct = Direct {
        round_trip: 50.0,
        calls: [600.0, 400.0],
        turns: [9.0, 3.0],
    };

    #[test]
    fn a_ratio_goes_from_that_of_the_calls_to_that_of_the_turns() {
        assert_eq!(DIRECT.foretold(50.0), 1.5);
        assert_eq!(DIRECT.foretold(1_050.0), 9_600.0 / 3_400.0);
        assert!((DIRECT.foretold(1e9) - 3.0).abs() < 1e-3);
    }

    #[test]
    fn where_it_crosses_it_is_as_foretold_and_beyond_the_turns_it_never_does() {
        let at = DIRECT.crosses(2.0).unwrap();
        assert!((DIRECT.foretold(at) - 2.0).abs() < 1e-9, "{at}");
        assert_eq!(DIRECT.crosses(3.5), None);
        assert_eq!(DIRECT.crosses(1.2), None, "it is more already");
    }
}
