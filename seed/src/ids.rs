//! Ids that look random, as today's are, yet follow from the seed and the row's place.

use rand::Rng;
use uuid::{Builder, Uuid};

use crate::stream::{Aspect, stream};

/// What an id names; each kind has ids of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    User,
    Conversation,
    Member,
    Message,
    Idempotency,
    Reaction,
    Attachment,
    Post,
    Image,
    Follow,
    Like,
    Comment,
}

/// The ids of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    keys: [[u64; 2]; Kind::Comment as usize + 1],
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = stream(seed, Aspect::IDS, 0);
        Self {
            keys: std::array::from_fn(|_| [random.next_u64(), random.next_u64()]),
        }
    }

    /// The id of the `index`-th thing of its kind: version 4 in form, so that it falls
    /// anywhere in an index.
    pub(crate) fn id(&self, kind: Kind, index: u64) -> Uuid {
        let [a, b] = self.keys[kind as usize];
        let high = scramble(scramble(index ^ a) ^ b);
        let low = scramble(scramble(index ^ b).wrapping_add(a));
        let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): a bijection whose output bits
/// each depend on all input bits.
fn scramble(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_distinct_version_4_and_in_no_order() {
        let ids = Ids::new(7);
        let users: Vec<_> = (0..10_000).map(|i| ids.id(Kind::User, i)).collect();
        assert_eq!(users.iter().collect::<HashSet<_>>().len(), users.len());
        assert!(users.iter().all(|id| id.get_version_num() == 4));
        let rising = users.windows(2).filter(|w| w[0] < w[1]).count();
        assert!((4_500..5_500).contains(&rising), "{rising} of 9999 rise");
        assert_ne!(ids.id(Kind::User, 0), ids.id(Kind::Message, 0));
        assert_ne!(ids.id(Kind::User, 0), Ids::new(8).id(Kind::User, 0));
    }
}
