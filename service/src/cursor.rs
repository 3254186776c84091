//! Cursors as clients see them: opaque text for a place between two posts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use uuid::Uuid;
pub use verdict_optimized::pagination::Cursor;

/// Microseconds since 1970 as a big-endian i64, then the id.
const TIME: usize = size_of::<i64>();
const BYTES: usize = TIME + size_of::<Uuid>();

/// The first instant that PostgreSQL can hold, in 4714 BC; its last is beyond chrono's.
const FIRST_INSTANT: i64 = -210_866_803_200_000_000;

/// The text is no cursor of this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`cursor` is not one of this service: pass `next` of the page before unchanged, or none for the first page"
)]
pub struct BadCursor;

/// A cursor as text of 32 URL-safe characters. Finer than microseconds is cut off, as
/// PostgreSQL does.
///
/// ```
/// use verdict_service::cursor::{Cursor, decode, encode};
///
/// let cursor = Cursor { created_at: chrono::DateTime::UNIX_EPOCH, id: uuid::Uuid::nil() };
/// assert_eq!(decode(&encode(&cursor)), Ok(cursor));
/// ```
pub fn encode(cursor: &Cursor) -> String {
    let mut bytes = [0; BYTES];
    let (time, id) = bytes.split_at_mut(TIME);
    time.copy_from_slice(&cursor.created_at.timestamp_micros().to_be_bytes());
    id.copy_from_slice(cursor.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of a text that [`encode`] made.
///
/// # Errors
/// [`BadCursor`] for any other text, and for times that PostgreSQL cannot hold.
pub fn decode(text: &str) -> Result<Cursor, BadCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
    let (time, id) = bytes.split_first_chunk::<TIME>().ok_or(BadCursor)?;
    let micros = i64::from_be_bytes(*time);
    if micros < FIRST_INSTANT {
        return Err(BadCursor);
    }
    Ok(Cursor {
        created_at: DateTime::from_timestamp_micros(micros).ok_or(BadCursor)?,
        id: Uuid::from_slice(id).map_err(|_| BadCursor)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_from_its_text(
            micros in FIRST_INSTANT..=DateTime::<chrono::Utc>::MAX_UTC.timestamp_micros(),
            id: [u8; 16],
        ) {
            let created_at = DateTime::from_timestamp_micros(micros).expect("within range");
            let cursor = Cursor { created_at, id: Uuid::from_bytes(id) };
            let text = encode(&cursor);
            prop_assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
            prop_assert_eq!(decode(&text), Ok(cursor));
        }

        #[test]
        fn garbage_is_refused_or_is_the_one_text_of_its_cursor(text: String) {
            if let Ok(cursor) = decode(&text) {
                prop_assert_eq!(encode(&cursor), text);
            }
        }

        #[test]
        fn any_twenty_four_bytes_decode_without_a_panic(bytes: [u8; BYTES]) {
            let text = URL_SAFE_NO_PAD.encode(bytes);
            if let Ok(cursor) = decode(&text) {
                prop_assert_eq!(encode(&cursor), text);
            }
        }
    }

    #[test]
    fn a_time_before_the_first_that_the_database_can_hold_is_refused() {
        let mut bytes = [0; BYTES];
        bytes[..TIME].copy_from_slice(&(FIRST_INSTANT - 1).to_be_bytes());
        assert_eq!(decode(&URL_SAFE_NO_PAD.encode(bytes)), Err(BadCursor));
    }
}
