//! ClickHouse's RowBinary format (its manual's page on formats).

use std::ops::Range;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::pgcopy::Rows;

/// What a table is sorted by, such that keys compare as ClickHouse compares its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SortKey([u128; 2], u32);

impl SortKey {
    /// An id as a `String`: hyphenated ones are in the order of their numbers.
    pub(crate) fn id(id: Uuid) -> Self {
        Self([id.as_u128(), 0], 0)
    }

    /// Then another id.
    pub(crate) fn then(self, id: Uuid) -> Self {
        Self([self.0[0], id.as_u128()], self.1)
    }

    /// Then a time.
    pub(crate) fn at(self, time: DateTime<Utc>) -> Self {
        Self(self.0, seconds(time))
    }

    /// A time, then one of some words, of which no two begin with the same 16 bytes.
    pub(crate) fn time(time: DateTime<Utc>, word: &str) -> Self {
        let mut start = [0; 16];
        start
            .iter_mut()
            .zip(word.bytes())
            .for_each(|(to, byte)| *to = byte);
        Self([seconds(time).into(), u128::from_be_bytes(start)], 0)
    }
}

/// A row of a block, by what its table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    key: SortKey,
    block: u32,
    start: u32,
    length: u32,
}

impl Place {
    /// The same in a block of several, by its number.
    pub(crate) fn in_block(self, block: u32) -> Self {
        Self { block, ..self }
    }

    /// Which block.
    pub(crate) fn block(&self) -> usize {
        self.block as usize
    }

    /// Where its bytes are in the block.
    pub(crate) fn range(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }
}

impl Rows {
    /// Starts a RowBinary row: fields follow one another without a frame.
    pub(crate) fn binary(&mut self, key: SortKey) -> BinaryRow<'_> {
        self.rows += 1;
        self.places.push(Place {
            key,
            block: 0,
            start: self.bytes.len() as u32,
            length: 0,
        });
        BinaryRow {
            out: &mut self.bytes,
        }
    }

    /// Once all rows are written, tells them in the order of their keys; the bytes stay as they
    /// are, in the order in which they arrived.
    pub(crate) fn sorted(mut self) -> Self {
        let mut end = self.bytes.len() as u32;
        for place in self.places.iter_mut().rev() {
            place.length = end - place.start;
            end = place.start;
        }
        self.places.sort_unstable();
        self
    }

    /// Puts the bytes in the order that is told.
    pub(crate) fn in_order(mut self) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for place in &mut self.places {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(&self.bytes[place.range()]);
            place.start = start;
        }
        self.bytes = bytes;
        self
    }
}

/// As LEB128: seven bits a byte, the lowest first.
pub(crate) fn push_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// How long a `String` is that bytes begin with, its length included.
pub(crate) fn text_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    for (place, byte) in bytes.iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return place + 1 + length;
        }
    }
    bytes.len()
}

fn seconds(time: DateTime<Utc>) -> u32 {
    time.timestamp() as u32
}

/// A row being written.
pub(crate) struct BinaryRow<'a> {
    out: &'a mut Vec<u8>,
}

impl BinaryRow<'_> {
    /// Adds a `String`.
    pub(crate) fn text(self, text: &str) -> Self {
        push_length(self.out, text.len());
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a `Nullable(String)`.
    pub(crate) fn maybe_text(self, text: Option<&str>) -> Self {
        self.out.push(text.is_none().into());
        match text {
            Some(text) => self.text(text),
            None => self,
        }
    }

    /// Adds an id as a `String`, hyphenated as today.
    pub(crate) fn id(self, id: Uuid) -> Self {
        self.text(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }

    /// Adds a `DateTime`: whole seconds.
    pub(crate) fn seconds(self, time: DateTime<Utc>) -> Self {
        self.out.extend_from_slice(&seconds(time).to_le_bytes());
        self
    }

    /// Adds a change's version and whether it deletes.
    pub(crate) fn change(self, version: u64, deleted: bool) {
        self.out.extend_from_slice(&version.to_le_bytes());
        self.out.push(deleted.into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rhythm::at;

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_clickhouses_columns(
            rows in prop::collection::vec((0..3_u128, any::<u128>(), 0..3_i64, 0..3_usize), 2),
        ) {
            let of = |(small, large, time, word): (u128, u128, i64, usize)| {
                let (id, other) = (Uuid::from_u128(large), Uuid::from_u128(small));
                let (time, word) = (at(time * 1_000_000), ["comment", "like", "view"][word]);
                (
                    (SortKey::id(other).then(id).at(time), (other.to_string(), id.to_string(), time)),
                    (SortKey::time(time, word), (time, word)),
                )
            };
            let [a, b] = [of(rows[0]), of(rows[1])];
            prop_assert_eq!(a.0.0.cmp(&b.0.0), a.0.1.cmp(&b.0.1));
            prop_assert_eq!(a.1.0.cmp(&b.1.0), a.1.1.cmp(&b.1.1));
        }
    }

    #[test]
    fn fields_follow_the_formats_rules() {
        let mut rows = Rows::default();
        let long = "x".repeat(300);
        rows.binary(SortKey::id(Uuid::nil()))
            .text(&long)
            .maybe_text(None)
            .maybe_text(Some("a"))
            .seconds(at(2_000_000))
            .change(3, true);
        assert_eq!(rows.rows, 1);
        assert_eq!(rows.bytes[..2], [0xac, 0x02]);
        assert_eq!(
            rows.bytes[302..],
            [1, 0, 1, b'a', 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1]
        );
    }
}
