//! PostgreSQL's binary COPY format (its manual's page on COPY, "Binary Format").

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::rowbinary::Place;

/// What a file in this format starts with: signature, no flags, no header extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
pub(crate) const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// Rows, encoded.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u64,
    /// ClickHouse's rows, in the order of their table's key once all of them are written.
    pub(crate) places: Vec<Place>,
}

/// A value that has a binary form in PostgreSQL.
pub(crate) trait Field {
    fn encode(&self, out: &mut Vec<u8>);
}

impl Rows {
    /// None yet, with room for as many as that, of about so many bytes each.
    pub(crate) fn with_room(rows: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(rows * bytes),
            ..Self::default()
        }
    }

    /// Starts a row of so many fields.
    pub(crate) fn row(&mut self, fields: i16) -> Row<'_> {
        self.rows += 1;
        self.bytes.extend_from_slice(&fields.to_be_bytes());
        Row {
            out: &mut self.bytes,
        }
    }
}

/// A row being written.
pub(crate) struct Row<'a> {
    out: &'a mut Vec<u8>,
}

impl Row<'_> {
    /// Adds a field.
    pub(crate) fn add(self, field: impl Field) -> Self {
        // The length goes before the value and is known after it.
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        field.encode(self.out);
        let length = (self.out.len() - start - 4) as i32;
        self.out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        self
    }

    /// Adds a field that may be NULL.
    pub(crate) fn maybe(self, field: Option<impl Field>) -> Self {
        if let Some(field) = field {
            return self.add(field);
        }
        self.out.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }
}

/// A `jsonb` value.
pub(crate) struct Jsonb(pub(crate) &'static str);

impl Field for Jsonb {
    fn encode(&self, out: &mut Vec<u8>) {
        // Version 1 of its binary form is the text.
        out.push(1);
        out.extend_from_slice(self.0.as_bytes());
    }
}

impl Field for Uuid {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Field for &str {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Field for &[u8] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Field for i32 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
}

impl Field for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push((*self).into());
    }
}

impl Field for DateTime<Utc> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.timestamp_micros() - EPOCH).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rhythm::at;

    /// Reads rows back as the server does: a count, then a length and bytes for each field.
    fn decode(mut bytes: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
        let mut take = |n: usize| {
            let (head, tail) = bytes.split_at(n);
            bytes = tail;
            (head.to_vec(), tail.is_empty())
        };
        let mut rows = Vec::new();
        loop {
            let (count, _) = take(2);
            let mut end = false;
            let mut row = Vec::new();
            for _ in 0..i16::from_be_bytes([count[0], count[1]]) {
                let (length, last) = take(4);
                end = last;
                let length = i32::from_be_bytes(length.try_into().expect("four bytes"));
                row.push((length >= 0).then(|| {
                    let (value, last) = take(length as usize);
                    end = last;
                    value
                }));
            }
            rows.push(row);
            if end {
                return rows;
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(
            values in prop::collection::vec(
                (".*", prop::option::of(any::<i32>()), any::<bool>(), any::<u128>(), 0..1_i64 << 52),
                1..20,
            ),
        ) {
            let mut rows = Rows::default();
            for (text, number, flag, id, micros) in &values {
                rows.row(5)
                    .add(text.as_str())
                    .maybe(*number)
                    .add(*flag)
                    .add(Uuid::from_u128(*id))
                    .add(at(*micros));
            }
            prop_assert_eq!(rows.rows, values.len() as u64);
            let read = decode(&rows.bytes);
            let meant: Vec<_> = values.iter().map(|(text, number, flag, id, micros)| vec![
                Some(text.clone().into_bytes()),
                number.map(|n| n.to_be_bytes().to_vec()),
                Some(vec![u8::from(*flag)]),
                Some(id.to_be_bytes().to_vec()),
                Some((micros - 946_684_800_000_000).to_be_bytes().to_vec()),
            ]).collect();
            prop_assert_eq!(read, meant);
        }
    }

    #[test]
    fn the_header_is_nineteen_bytes_and_the_trailer_minus_one() {
        assert_eq!(HEADER.len(), 19);
        assert_eq!(TRAILER, [0xff, 0xff]);
    }
}
