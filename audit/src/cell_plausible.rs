//! Whether a latency can be what its own calls and rounds came to.

use crate::evidence::{Latency, Percentiles, SideRecord};
use crate::flow_plausible::same;
use crate::histogram::decode;
use crate::quantile::{Unit, median, percentiles};

/// How far the ratio, over blocks, may be from that of the typical calls of the rounds: a block
/// that was disturbed moves either.
const APART: f64 = 4.0;

/// The first figure that does not follow from what was recorded; `None` where there is none, or
/// nothing was recorded.
pub(crate) fn unfounded_cell(cell: &Latency) -> Option<String> {
    let recorded = &cell.recorded;
    let sides = [
        (cell.baseline.as_ref(), recorded.baseline.as_ref()),
        (Some(&cell.variant), Some(&recorded.variant)),
    ];
    let words = sides
        .into_iter()
        .find_map(|(said, record)| unfounded_percentiles(said?, record?))
        .or_else(|| unfounded_ratio(cell))?;
    Some(format!("{} at {}: {words}", cell.operation, cell.at))
}

fn unfounded_percentiles(said: &Percentiles, record: &SideRecord) -> Option<String> {
    if record.histogram.is_empty() {
        return None;
    }
    let due = match decode(&record.histogram) {
        Ok(histogram) => percentiles(&histogram, Unit::Nanoseconds),
        Err(words) => return Some(words),
    };
    let pairs = [
        (due.p50, said.p50),
        (due.p95, said.p95),
        (due.p99, said.p99),
    ];
    let pairs = pairs.map(|(due, said)| (Some(due), Some(said)));
    let is_so = said.count == due.count && same(pairs);
    (!is_so).then(|| {
        format!(
            "{} calls with a median of {} µs, and its histogram has {} with {} µs",
            said.count, said.p50, due.count, due.p50
        )
    })
}

fn unfounded_ratio(cell: &Latency) -> Option<String> {
    let ratio = cell.ratio?.value;
    let zero = cell.zero.map_or(1.0, |zero| zero.ratio.value);
    let sides = [cell.recorded.baseline.as_ref()?, &cell.recorded.variant];
    let [baseline, variant] = sides.map(|side| median(side.rounds_us.clone()));
    let due = baseline? / variant? / zero;
    let near = (1.0 / APART..=APART).contains(&(ratio / due));
    (!near).then(|| format!("a ratio of {ratio}, and its rounds come to {due}"))
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::*;
    use crate::At;
    use crate::estimate::Ratio;
    use crate::evidence::Recorded;
    use crate::histogram::encode;

    fn side(us: u64) -> (Percentiles, SideRecord) {
        let mut histogram = Histogram::new(3).unwrap();
        histogram.record_n(us * 1_000, 100).unwrap();
        let record = SideRecord {
            rounds_us: vec![us as f64; 9],
            tails_us: Vec::new(),
            histogram: encode(&histogram).unwrap(),
        };
        (percentiles(&histogram, Unit::Nanoseconds), record)
    }

    #[test]
    fn what_was_recorded_bounds_what_is_said() {
        let ((slow, slow_record), (fast, fast_record)) = (side(900), side(300));
        let [value, lo, hi] = [3.0, 2.9, 3.1];
        let sound = Latency {
            baseline: Some(slow),
            ratio: Some(Ratio { value, lo, hi }),
            recorded: Recorded {
                baseline: Some(slow_record),
                variant: fast_record,
            },
            ..Latency::new("page".parse().unwrap(), At::rung(10), fast)
        };
        assert_eq!(unfounded_cell(&sound), None);
        let spoilt: [fn(&mut Latency); 4] = [
            |cell| cell.variant.p50 /= 1_000.0,
            |cell| cell.variant.count += 1,
            |cell| cell.ratio.as_mut().unwrap().value *= 10.0,
            |cell| cell.recorded.variant.histogram.truncate(9),
        ];
        for spoil in spoilt {
            let mut cell = sound.clone();
            spoil(&mut cell);
            assert!(unfounded_cell(&cell).is_some(), "{cell:?}");
        }
    }
}
