//! Where something is measured.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where something is measured: the rung of the ladder, the callers at once, and the line
/// between them and the engine.
///
/// Read also from a bare number, which is the rung with one caller on a line without delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Form")]
pub struct At {
    /// The rung: rows in the conversation or of the author; for pages, rows up to the page's
    /// end.
    pub n: u64,
    /// Callers at once.
    pub callers: u32,
    /// What the line adds to every round trip, microseconds.
    pub round_trip_us: u32,
}

impl At {
    /// The rung with one caller on a line without delay.
    pub fn rung(n: u64) -> Self {
        Self {
            n,
            callers: 1,
            round_trip_us: 0,
        }
    }

    /// Whether it is a rung and nothing else: what growth along the ladder is fitted on.
    pub fn is_rung(self) -> bool {
        self == Self::rung(self.n)
    }
}

/// `n = 1000`, `n = 1000, 32 callers`, `n = 1000, 500 µs line`.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n = {}", self.n)?;
        if self.callers != 1 {
            write!(f, ", {} callers", self.callers)?;
        }
        if self.round_trip_us != 0 {
            write!(f, ", {} µs line", self.round_trip_us)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a number of rows, or a table of n, callers and round_trip_us"
)]
enum Form {
    Rung(u64),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    n: u64,
    #[serde(default = "one")]
    callers: u32,
    #[serde(default)]
    round_trip_us: u32,
}

fn one() -> u32 {
    1
}

impl From<Form> for At {
    fn from(form: Form) -> Self {
        match form {
            Form::Rung(n) => Self::rung(n),
            Form::Full(Full {
                n,
                callers,
                round_trip_us,
            }) => Self {
                n,
                callers,
                round_trip_us,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        at: At,
    }

    fn read(text: &str) -> Result<At, toml::de::Error> {
        toml::from_str(text).map(|Holder { at }| at)
    }

    #[test]
    fn it_says_only_what_is_out_of_the_ordinary() {
        let at = At::rung(1_000);
        let crowded = At { callers: 32, ..at };
        let far = At {
            round_trip_us: 500,
            ..at
        };
        assert_eq!(at.to_string(), "n = 1000");
        assert_eq!(crowded.to_string(), "n = 1000, 32 callers");
        assert_eq!(far.to_string(), "n = 1000, 500 µs line");
        assert!(at.is_rung() && !crowded.is_rung() && !far.is_rung());
    }

    #[test]
    fn a_number_is_a_rung_and_a_table_has_defaults() {
        assert_eq!(read("at = 1000").unwrap(), At::rung(1_000));
        assert_eq!(read("at = { n = 1000 }").unwrap(), At::rung(1_000));
        let crowded = read("at = { n = 1000, callers = 32 }").unwrap();
        assert_eq!((crowded.callers, crowded.round_trip_us), (32, 0));
        assert!(read("at = { n = 1000, caller = 32 }").is_err());
    }
}
