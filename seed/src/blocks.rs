//! Blocks: what one thread makes at a time, laid out as time went by.
//!
//! A conversation (or an author) is cut into segments, each with random streams of its own.
//! Segments in order of their time, a few thousand rows at once, are a block. So rows lie in
//! the tables about as they would have come in: those of one conversation far apart, as
//! today, and not side by side as a generator would most simply write them.

use std::ops::Range;

use crate::distribution::Counts;

/// A run of one entity's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The conversation or author.
    pub(crate) entity: u32,
    /// Number of the first item among all of the world: also the segment's stream.
    pub(crate) first: u64,
    /// Items in it.
    pub(crate) len: u32,
    /// The time it spans, in microseconds since 1970.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Whether the entity ends with it.
    pub(crate) last: bool,
}

/// The segments of one entity that lives from `life.start` to `life.end`, at most `longest`
/// items each.
pub(crate) fn segments(
    counts: &Counts,
    entity: u32,
    life: Range<i64>,
    longest: u32,
) -> impl Iterator<Item = Segment> + use<> {
    let (start, count) = (counts.start(entity), counts.of(entity));
    let pieces = count.div_ceil(longest.into());
    // In 128 bits, as microseconds of years times pieces may pass 63.
    let time = move |k: u64| {
        let span = i128::from(life.end - life.start);
        life.start + (span * i128::from(k) / i128::from(pieces)) as i64
    };
    (0..pieces).map(move |k| {
        let first = k * u64::from(longest);
        Segment {
            entity,
            first: start + first,
            len: (count - first).min(longest.into()) as u32,
            from: time(k),
            to: time(k + 1),
            last: k + 1 == pieces,
        }
    })
}

/// All entities' segments in order of time, cut into blocks of about `rows` items.
#[derive(Debug)]
pub(crate) struct Blocks {
    segments: Vec<Segment>,
    ends: Vec<usize>,
}

impl Blocks {
    pub(crate) fn new(mut segments: Vec<Segment>, rows: u32) -> Self {
        segments.sort_unstable_by_key(|s| (s.from, s.first));
        let mut ends = Vec::new();
        let mut filled = 0;
        for (i, segment) in segments.iter().enumerate() {
            filled += segment.len;
            if filled >= rows || i + 1 == segments.len() {
                ends.push(i + 1);
                filled = 0;
            }
        }
        Self { segments, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn block(&self, number: usize) -> &[Segment] {
        let start = if number == 0 {
            0
        } else {
            self.ends[number - 1]
        };
        &self.segments[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cover_every_item_and_the_whole_life_once() {
        let counts = Counts::new([3, 1_000]);
        let all: Vec<_> = segments(&counts, 1, 50..1_050, 512).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].first, all[0].len, all[0].last), (3, 512, false));
        assert_eq!((all[1].first, all[1].len, all[1].last), (515, 488, true));
        assert_eq!((all[0].from, all[0].to, all[1].to), (50, 550, 1_050));
    }

    #[test]
    fn blocks_hold_every_segment_once_in_order_of_time() {
        let counts = Counts::new([700, 700, 700]);
        let lives = [0..9_000, 5..100, 3..8_000];
        let all: Vec<_> = (0..3)
            .flat_map(|e| segments(&counts, e, lives[e as usize].clone(), 100))
            .collect();
        let blocks = Blocks::new(all.clone(), 250);
        let seen: Vec<_> = (0..blocks.len()).flat_map(|b| blocks.block(b)).collect();
        assert_eq!(seen.len(), all.len());
        assert!(seen.windows(2).all(|w| w[0].from <= w[1].from));
        assert!(blocks.len() >= 7);
    }
}
