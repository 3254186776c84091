//! The share of reads that a cache answers, computed on a virtual clock: reads in the order in
//! which the world's readers came to its posts, at an even rate.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How a cache is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Reads and writes in a second.
    pub rate: f64,
    /// For which an answer is kept. A hit does not make it longer.
    pub ttl: Duration,
    /// Answers that there is room for, the ones that were asked for least lately going first;
    /// `None` without a bound.
    pub room: Option<usize>,
    /// The share of writes, each of which takes away what is kept of its post.
    pub writes: f64,
}

/// What is done at each tick of a cell, and to which post, by its number.
pub fn acts(cell: Cell, trace: &[u32]) -> impl Iterator<Item = (bool, u32)> {
    // The same acts in every run.
    let mut random = ChaCha8Rng::seed_from_u64(trace.len() as u64);
    trace
        .iter()
        .map(move |post| (random.random_bool(cell.writes), *post))
}

/// The share of reads that are hits, of the reads after the first `ttl`; `None` where the trace is
/// not twice as long.
pub fn ratio(cell: Cell, trace: &[u32]) -> Option<f64> {
    let ticks = (cell.ttl.as_secs_f64() * cell.rate).round() as u64;
    if (trace.len() as u64) < 2 * ticks {
        return None;
    }
    // Of each post when it goes, and when it was asked for last; and the posts by the latter.
    let mut kept: HashMap<u32, (u64, u64)> = HashMap::new();
    let mut by_use: BTreeMap<u64, u32> = BTreeMap::new();
    let (mut reads, mut hits) = (0u64, 0u64);
    for (now, (writes, post)) in (0..).zip(acts(cell, trace)) {
        let known = kept.remove(&post);
        if let Some((_, used)) = known {
            by_use.remove(&used);
        }
        if writes {
            continue;
        }
        let hit = known.filter(|(until, _)| now < *until);
        if now >= ticks {
            reads += 1;
            hits += u64::from(hit.is_some());
        }
        let until = hit.map_or(now + ticks, |(until, _)| until);
        kept.insert(post, (until, now));
        by_use.insert(now, post);
        if cell.room.is_some_and(|room| kept.len() > room)
            && let Some((_, least)) = by_use.pop_first()
        {
            kept.remove(&least);
        }
    }
    (reads > 0).then(|| hits as f64 / reads as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(ticks: u64, room: Option<usize>, writes: f64) -> Cell {
        Cell {
            rate: 1.0,
            ttl: Duration::from_secs(ticks),
            room,
            writes,
        }
    }

    #[test]
    fn an_answer_lasts_as_long_as_told_whoever_asks_for_it() {
        // Fetched every third time, as the hits between do not make it last longer.
        let ratio = ratio(cell(3, None, 0.0), &[7; 33]).unwrap();
        assert!((ratio - 2.0 / 3.0).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn without_room_nothing_that_was_asked_for_least_lately_is_kept() {
        let trace: Vec<u32> = (0..300).map(|read| read % 3).collect();
        assert_eq!(ratio(cell(100, Some(2), 0.0), &trace), Some(0.0));
        assert!(ratio(cell(100, Some(3), 0.0), &trace).unwrap() > 0.9);
    }

    #[test]
    fn writes_cost_hits_and_a_short_trace_tells_nothing() {
        let trace = [1; 1_000];
        let (all, none) = (cell(100, None, 0.0), cell(100, None, 1.0));
        assert_eq!(ratio(none, &trace), None);
        let half = ratio(cell(100, None, 0.5), &trace).unwrap();
        assert!(half < ratio(all, &trace).unwrap(), "{half}");
        assert_eq!(ratio(all, &trace[..199]), None);
    }
}
