//! Users, and who follows whom.

use chrono::{DateTime, Utc};
use fake::Fake;
use fake::faker::name::en::{FirstName, LastName};
use rand::{Rng, RngExt};
use uuid::Uuid;

use crate::distribution::pareto;
use crate::ids::Kind;
use crate::rhythm::{DAY, NOW, at, later};
use crate::stream::Aspect;
use crate::world::World;

/// How long before the history users signed up, at most.
const SIGN_UPS: i64 = 730 * DAY;

/// A row of `users`, without its follower count.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    pub(crate) email_verified: bool,
    pub(crate) is_active: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
}

/// A follow: a row of `follows` unless withdrawn, and of `follows_cdc` always.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) id: Uuid,
    pub(crate) follower: Uuid,
    /// Number of the user who is followed.
    pub(crate) following: u32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) removed_at: Option<DateTime<Utc>>,
}

impl World {
    pub(crate) fn user_row(&self, index: u32) -> User {
        let mut random = self.stream(Aspect::PEOPLE, index.into());
        let first: &str = FirstName().fake_with_rng(&mut random);
        let last: &str = LastName().fake_with_rng(&mut random);
        let first = first.to_lowercase();
        // Names with an apostrophe would be no addresses.
        let last = last
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let created = self.beginning() - random.random_range(0..SIGN_UPS);
        let deleted = random.random_bool(0.01);
        let updated = later(created, random.random::<f64>() * (NOW - created) as f64);
        User {
            id: self.user_id(index),
            // The number makes both unique.
            username: format!("{first}_{last}_{index}"),
            email: format!("{first}.{last}.{index}@example.com"),
            password_hash: password_hash(&mut random),
            email_verified: random.random_bool(0.9),
            is_active: !deleted && random.random_bool(0.97),
            created_at: at(created),
            updated_at: at(updated),
            deleted_at: deleted.then(|| at(updated)),
        }
    }

    /// Whom a user follows or followed: half of them around the user, half by popularity.
    pub(crate) fn follows_of(&self, follower: u32) -> Vec<Follow> {
        let mut random = self.stream(Aspect::FOLLOWS, follower.into());
        let most = (self.sizes.users / 4).min(2_000);
        let count = (6.0 * pareto(&mut random, 1.4)).min(most.into()) as usize;
        let mut following = Vec::with_capacity(count);
        for _ in 0..count {
            let user = if random.random_bool(0.5) {
                self.followed_neighbour(follower, &mut random)
            } else {
                self.popularity().sample(&mut random)
            };
            if user != follower {
                following.push(user);
            }
        }
        following.sort_unstable();
        following.dedup();
        let follow = |(k, following)| {
            let created = random.random_range(self.beginning()..NOW);
            let removed = created + random.random_range(1_000_000..30 * DAY);
            let withdrawn = random.random_bool(0.03) && removed < NOW;
            Follow {
                id: self.ids.id(Kind::Follow, (u64::from(follower) << 16) + k),
                follower: self.user_id(follower),
                following,
                created_at: at(created),
                removed_at: withdrawn.then(|| at(removed)),
            }
        };
        (0..).zip(following).map(follow).collect()
    }

    /// The inverse of [`neighbour`](Self::neighbour): someone whose reader this user is.
    fn followed_neighbour(&self, reader: u32, random: &mut impl Rng) -> u32 {
        let distance = self.neighbour(0, random);
        ((u64::from(reader) + self.users() - u64::from(distance)) % self.users()) as u32
    }
}

/// In the form of Argon2, of nothing.
fn password_hash(random: &mut impl Rng) -> String {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut noise = |length| -> String {
        (0..length)
            .map(|_| char::from(BASE64[random.random_range(0..64)]))
            .collect()
    };
    format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", noise(22), noise(43))
}
