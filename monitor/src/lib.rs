//! What servers tell of themselves: the statements they spend their time on, caches, indexes,
//! connections and waits of PostgreSQL (15 and newer); queries, parts, merges and growth of
//! ClickHouse.
//!
//! Everything is read in sessions that can write nothing, within a bounded time, and so much of it
//! as a person reads. What a server does not tell is no error: it is said in one line, with what
//! would have it told.

pub mod clickhouse;
mod error;
mod passwords;
pub mod postgres;
mod seen;

pub use error::{Error, Result};
pub use seen::{Missing, Seen};

/// Characters of a statement that are kept; one may have millions.
const LONGEST: usize = 2_000;

/// A statement on one line, without the passwords that it gives, in the length in which statements
/// are kept.
pub fn on_one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A terminal would do as they say.
    line.retain(|character| !character.is_control());
    line = passwords::hidden(&line);
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_one_line_of_bounded_length() {
        assert_eq!(on_one_line("\nSELECT 1,\n\t2 "), "SELECT 1, 2");
        assert_eq!(on_one_line("\u{1b}[2JSELECT 1"), "[2JSELECT 1");
        let long = "ä".repeat(3 * LONGEST);
        assert_eq!(on_one_line(&long).chars().count(), LONGEST);
    }
}
