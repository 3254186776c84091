//! Which world: its scale, its seed, and the name that tells it from all others.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use verdict_baseline::schema;

/// Raised whenever the generator writes other rows for the same spec, so that worlds kept
/// from before are not taken for today's.
const GENERATOR: u32 = 2;

/// How large a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scale {
    /// 300 users, ladder to 1 000, 30 000 events: loaded in seconds, for tests.
    Smoke,
    /// 1 000 users, ladder to 10 000, 1 M events: for `verdict run --quick` and `verdict check`.
    Quick,
    /// 10 000 users, ladder to 100 000, 10 M events: what `cargo bench` measures.
    Default,
    /// 100 000 users, ladder to 100 000, 30 M events: for nightly jobs.
    Nightly,
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Default => "default",
            Self::Nightly => "nightly",
        })
    }
}

/// A scale's name that is none of theirs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scale `{0}`: choose smoke, quick, default or nightly")]
pub struct UnknownScale(String);

impl FromStr for Scale {
    type Err = UnknownScale;

    fn from_str(name: &str) -> Result<Self, UnknownScale> {
        match name {
            "smoke" => Ok(Self::Smoke),
            "quick" => Ok(Self::Quick),
            "default" => Ok(Self::Default),
            "nightly" => Ok(Self::Nightly),
            other => Err(UnknownScale(other.to_owned())),
        }
    }
}

/// Everything a world follows from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorldSpec {
    /// The size in general.
    pub scale: Scale,
    /// Users in place of the scale's own number; messages, posts and engagement grow in
    /// proportion, the ladder stays. At least 20 are made.
    pub users: Option<u32>,
    /// Days of history in place of 180; at least 1. The number of rows stays, apart from
    /// engagement that has not happened yet at the world's clock.
    pub days: Option<u32>,
    /// The seed of every random stream.
    pub seed: u64,
}

/// Row budgets that a spec comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) users: u32,
    pub(crate) days: u32,
    pub(crate) messages: u64,
    pub(crate) posts: u64,
    /// Likes, comments and views within the last 90 days.
    pub(crate) events: u64,
    /// Rungs of the ladder, ascending.
    pub(crate) ladder: &'static [u32],
}

impl WorldSpec {
    pub(crate) fn sizes(&self) -> Sizes {
        let (base, messages, posts, events, ladder): (u32, u64, u64, u64, &'static [u32]) =
            match self.scale {
                Scale::Smoke => (300, 15_000, 3_000, 30_000, &[100, 1_000]),
                Scale::Quick => (1_000, 150_000, 30_000, 1_000_000, &[100, 1_000, 10_000]),
                Scale::Default => (
                    10_000,
                    1_500_000,
                    300_000,
                    10_000_000,
                    &[100, 1_000, 10_000, 100_000],
                ),
                Scale::Nightly => (
                    100_000,
                    10_000_000,
                    3_000_000,
                    30_000_000,
                    &[100, 1_000, 10_000, 100_000],
                ),
            };
        let users = self.users.unwrap_or(base).max(20);
        let scaled = |rows: u64| rows * u64::from(users) / u64::from(base);
        Sizes {
            users,
            days: self.days.unwrap_or(180).max(1),
            messages: scaled(messages),
            posts: scaled(posts),
            events: scaled(events),
            ladder,
        }
    }

    /// The world's name: safe in file and database names, at most 40 characters of
    /// `[a-z0-9_]`. It covers today's schema, the generator's version and everything in the
    /// spec, so that equal keys mean equal rows.
    pub fn key(&self) -> String {
        let sizes = self.sizes();
        let mut hash = Sha256::new();
        for sql in [
            schema::TABLES,
            schema::INDEXES,
            schema::FOREIGN_KEYS,
            schema::TRIGGERS,
            schema::CLICKHOUSE,
            schema::CLICKHOUSE_VIEWS,
        ] {
            hash.update((sql.len() as u64).to_le_bytes());
            hash.update(sql);
        }
        hash.update(GENERATOR.to_le_bytes());
        hash.update(self.seed.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let short: String = digest[..5].iter().map(|b| format!("{b:02x}")).collect();
        format!("{}_{}_{}_{short}", self.scale, sizes.users, sizes.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(scale: Scale) -> WorldSpec {
        WorldSpec {
            scale,
            users: None,
            days: None,
            seed: 1,
        }
    }

    #[test]
    fn a_scale_is_read_back_from_its_name() {
        for scale in [Scale::Smoke, Scale::Quick, Scale::Default, Scale::Nightly] {
            assert_eq!(scale.to_string().parse(), Ok(scale));
        }
        assert!("Smoke".parse::<Scale>().is_err());
    }

    #[test]
    fn the_key_is_safe_short_and_its_own_for_every_part_of_the_spec() {
        let base = spec(Scale::Default);
        let others = [
            WorldSpec {
                seed: 2,
                ..base.clone()
            },
            WorldSpec {
                users: Some(u32::MAX),
                ..base.clone()
            },
            WorldSpec {
                days: Some(u32::MAX),
                ..base.clone()
            },
            spec(Scale::Quick),
            spec(Scale::Nightly),
        ];
        for other in &others {
            let key = other.key();
            assert_ne!(key, base.key());
            assert!(key.len() <= 40, "{key}");
            assert!(
                key.bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            );
        }
    }

    #[test]
    fn saying_the_default_aloud_is_the_same_world() {
        let spoken = WorldSpec {
            users: Some(300),
            days: Some(180),
            ..spec(Scale::Smoke)
        };
        assert_eq!(spoken.key(), spec(Scale::Smoke).key());
    }
}
