//! What stands in Redis under a key, and how it comes there.
//!
//! Under a key there is one of three things, told by its first letter. `V` and a value. `L` and
//! the token of a lease: somebody fetches, and may put a value in the place of this token and of
//! no other. `H` and the tokens of writers: nothing is kept until each of them has released it, or
//! so much time has passed that it must be gone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, RedisResult, cmd};

use super::Limits;

const PUT: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end";

const HOLD: &str = "
local entry = redis.call('GET', KEYS[1])
if not entry or entry:sub(1, 1) ~= 'H' then
    entry = 'H'
end
redis.call('SET', KEYS[1], entry .. ' ' .. ARGV[1], 'PX', ARGV[2])";

const RELEASE: &str = "
local entry = redis.call('GET', KEYS[1])
if entry and entry:sub(1, 1) == 'H' then
    local others = entry:gsub(' ' .. ARGV[1], '')
    if others ~= 'H' then
        redis.call('SET', KEYS[1], others, 'KEEPTTL')
        return
    end
end
redis.call('DEL', KEYS[1])";

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A value.
    Value(String),
    /// The token of a lease.
    Leased(String),
    /// Something that is to be left alone: a write is under way.
    Held,
}

impl Entry {
    fn of(text: &str) -> Self {
        match text.split_at_checked(1) {
            Some(("V", value)) => Self::Value(value.to_owned()),
            Some(("L", token)) => Self::Leased(token.to_owned()),
            _ => Self::Held,
        }
    }
}

/// Redis did not do it, or not in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Away;

/// Entries in Redis, over one connection that is shared and comes back by itself.
pub(super) struct Entries {
    redis: ConnectionManager,
    limits: Limits,
    born: Instant,
    /// Until when nobody is asked for an entry, in milliseconds since `born`.
    rests_until: AtomicU64,
}

impl Entries {
    pub fn new(redis: &redis::Client, limits: Limits) -> RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(limits.patience))
            .set_response_timeout(Some(limits.patience))
            .set_number_of_retries(0);
        Ok(Self {
            redis: redis.get_connection_manager_lazy(config)?,
            limits,
            born: Instant::now(),
            rests_until: AtomicU64::new(0),
        })
    }

    /// What stands under a key, or else a lease that is taken now. At once [`Away`] while Redis
    /// was away a moment ago.
    pub async fn look_up(&self, key: &str) -> Result<Entry, Away> {
        if self.rests() {
            return Err(Away);
        }
        let found: Option<String> = self.ask(cmd("GET").arg(key)).await?;
        if let Some(text) = found {
            return Ok(Entry::of(&text));
        }
        let token = token();
        let lease = milliseconds(self.limits.lease);
        let mut take = cmd("SET");
        take.arg(key).arg(format!("L{token}"));
        take.arg("NX").arg("GET").arg("PX").arg(lease);
        let found: Option<String> = self.ask(&take).await?;
        Ok(found.map_or(Entry::Leased(token), |text| Entry::of(&text)))
    }

    /// Puts a value in the place of a lease, if it still stands.
    pub async fn put(
        &self,
        key: &str,
        token: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<(), Away> {
        let mut put = script(PUT, key);
        put.arg(format!("L{token}")).arg(format!("V{value}"));
        self.ask(put.arg(milliseconds(ttl))).await
    }

    /// Puts a hold in the place of whatever stands there.
    pub async fn hold(&self, key: &str, token: &str) -> Result<(), Away> {
        let mut hold = script(HOLD, key);
        self.ask(hold.arg(token).arg(milliseconds(self.limits.hold)))
            .await
    }

    /// Takes a hold away, and whatever else but the holds of others.
    pub async fn release(&self, key: &str, token: &str) -> Result<(), Away> {
        self.ask(script(RELEASE, key).arg(token)).await
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        let mut redis = self.redis.clone();
        let asked = command.query_async(&mut redis);
        match tokio::time::timeout(self.limits.patience, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            // What Redis refuses is no sign that it is away.
            Ok(Err(refused)) if refused.code().is_some() => Err(Away),
            Ok(Err(_)) | Err(_) => {
                let until = self.born.elapsed() + self.limits.rest;
                self.rests_until
                    .store(milliseconds(until), Ordering::Relaxed);
                Err(Away)
            }
        }
    }

    fn rests(&self) -> bool {
        milliseconds(self.born.elapsed()) < self.rests_until.load(Ordering::Relaxed)
    }
}

/// A name that nobody else has.
pub(super) fn token() -> String {
    format!("{:016x}", rand::random::<u64>())
}

fn script(text: &str, key: &str) -> Cmd {
    let mut script = cmd("EVAL");
    script.arg(text).arg(1).arg(key);
    script
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
