//! ClickHouse's RowBinary format (its manual's page on formats).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::pgcopy::Rows;

impl Rows {
    /// Starts a RowBinary row: fields follow one another without a frame.
    pub(crate) fn binary(&mut self) -> BinaryRow<'_> {
        self.rows += 1;
        BinaryRow {
            out: &mut self.bytes,
        }
    }
}

/// A row being written.
pub(crate) struct BinaryRow<'a> {
    out: &'a mut Vec<u8>,
}

impl BinaryRow<'_> {
    /// Adds a `String`.
    pub(crate) fn text(self, text: &str) -> Self {
        let mut length = text.len();
        // LEB128: seven bits a byte, the lowest first.
        while length >= 0x80 {
            self.out.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.out.push(length as u8);
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
        self.out
            .extend_from_slice(&(time.timestamp() as u32).to_le_bytes());
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
    use super::*;
    use crate::rhythm::at;

    #[test]
    fn fields_follow_the_formats_rules() {
        let mut rows = Rows::default();
        let long = "x".repeat(300);
        rows.binary()
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
