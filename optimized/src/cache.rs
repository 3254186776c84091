//! Item 13 fixed: answers in Redis that a write takes away before it begins, over one connection.
//!
//! A reader who finds nothing takes a lease and fetches; the value is put in the place of that very
//! lease, so that one which was fetched before a write never comes to stand after it. Everybody in
//! a process who finds the lease waits for the one fetch. A writer puts a hold on what it is going
//! to write, during which everybody reads PostgreSQL and nobody keeps anything, and releases it
//! when the write is committed: no answer is older than the last write that was. A post that is not
//! there is kept as well, for a shorter time, and gives way to the post like any other value.
//!
//! Where Redis does not answer in time, PostgreSQL does, and Redis is left alone for a while. A
//! write is never refused for it: its release is said again and again until it is heard, or nothing
//! from before can be kept any longer. Only a process that does not know of the write, and reaches
//! a Redis that the writer does not, can be told an old answer meanwhile.
//!
//! Lost:
//! - removing after the write alone, as the audit does: what is read before the write and kept
//!   after the removal stays for the whole time (a test has it);
//! - a version of the row's in the value: a row that is gone, or comes to be, has none, and a
//!   conversation's answer is of several tables;
//! - one fetch for all by key: who asks after a write would be given what was fetched before it;
//! - a layer in the process: a write made elsewhere comes to be known only later than its reader
//!   could have read it;
//! - SET with NX and GET for the look-up as well, one command for a miss less: a Redis that is full
//!   and forgets nothing refuses it also where there is a value.

mod entries;
mod flights;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::RedisResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::cache::{self as today, Details, Post};
use verdict_store::ClientCounts;

use entries::{Away, Entries, Entry, token};
use flights::Flights;

/// How long anything lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// For which an answer is kept at most.
    pub ttl: Duration,
    /// The same for the answer that there is nothing.
    pub absent: Duration,
    /// The share of either that an answer may be kept less, as chance has it, so that what came at
    /// once does not go at once.
    pub jitter: f64,
    /// For which a fetch may put its value.
    pub lease: Duration,
    /// For which a write keeps others from keeping anything; longer than any write takes.
    pub hold: Duration,
    /// Which Redis has to answer within.
    pub patience: Duration,
    /// For which Redis is left alone when it did not.
    pub rest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(300),
            absent: Duration::from_secs(30),
            jitter: 0.1,
            lease: Duration::from_secs(10),
            hold: Duration::from_secs(30),
            patience: Duration::from_millis(100),
            rest: Duration::from_secs(1),
        }
    }
}

/// What is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A post.
    Post(Uuid),
    /// A post with its counters and images.
    PostWithImages(Uuid),
    /// A conversation.
    Conversation(Uuid),
}

impl Subject {
    /// Its key. The number is of the value's shape: a change of that takes the next one.
    fn key(self) -> String {
        match self {
            Self::Post(id) => format!("post:1:{id}"),
            Self::PostWithImages(id) => format!("post-with-images:1:{id}"),
            Self::Conversation(id) => format!("conversation:1:{id}"),
        }
    }
}

/// Answers in Redis. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    entries: Arc<Entries>,
    flights: Arc<Flights>,
    limits: Limits,
    counts: Arc<ClientCounts>,
}

impl Cache {
    /// A cache that counts hits and misses, in the runtime that it is made in; it connects when it
    /// is first asked.
    ///
    /// # Errors
    /// When Redis's address is none.
    pub fn new(
        redis: &redis::Client,
        limits: Limits,
        counts: Arc<ClientCounts>,
    ) -> RedisResult<Self> {
        Ok(Self {
            entries: Arc::new(Entries::new(redis, limits)?),
            flights: Arc::default(),
            limits,
            counts,
        })
    }

    /// What is kept of a subject, or else what `fetch` answers, which is then kept; `is_nothing`
    /// tells the answer that there is no such thing.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub async fn get_or_fetch<T, F>(
        &self,
        subject: Subject,
        is_nothing: fn(&T) -> bool,
        fetch: impl Fn() -> F,
    ) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let key = subject.key();
        let entry = self.entries.look_up(&key).await;
        if let Ok(Entry::Value(text)) = &entry
            && let Ok(answer) = serde_json::from_str(text)
        {
            self.counts.hit();
            return Ok(answer);
        }
        self.counts.missed();
        if let Ok(Entry::Leased(token)) = entry {
            let fly = || self.fly(key, token.clone(), is_nothing, fetch());
            let flown = self.flights.join(token.clone(), self.limits.patience, fly);
            if let Some(text) = flown.await
                && let Ok(answer) = serde_json::from_str(&text)
            {
                return Ok(answer);
            }
        }
        // A write is under way, Redis is away, or the fetch failed: this one says how.
        fetch().await
    }

    /// Fetches for all who wait, and puts what was fetched in the place of the lease.
    fn fly<T: Serialize + Send + Sync + 'static>(
        &self,
        key: String,
        token: String,
        is_nothing: fn(&T) -> bool,
        fetch: impl Future<Output = Result<T>> + Send + 'static,
    ) -> impl Future<Output = Option<Arc<str>>> + Send + 'static {
        let (entries, limits) = (Arc::clone(&self.entries), self.limits);
        async move {
            let answer = fetch.await.ok()?;
            let text: Arc<str> = serde_json::to_string(&answer).ok()?.into();
            let ttl = if is_nothing(&answer) {
                limits.absent
            } else {
                limits.ttl
            };
            let ttl = ttl.mul_f64(1.0 - limits.jitter * rand::random::<f64>());
            // What could not be put is fetched again.
            let _: std::result::Result<(), Away> = entries.put(&key, &token, &text, ttl).await;
            Some(text)
        }
    }

    /// Makes a write of what is cached of these subjects.
    pub async fn around<T>(&self, subjects: &[Subject], write: impl Future<Output = T>) -> T {
        let token = token();
        let keys: Vec<String> = subjects.iter().map(|subject| subject.key()).collect();
        // Where a hold is not had, the release has to do.
        join_all(keys.iter().map(|key| self.entries.hold(key, &token))).await;
        let written = write.await;
        join_all(keys.into_iter().map(|key| self.release(key, token.clone()))).await;
        written
    }

    /// Releases a key; where Redis is away, when it is back.
    async fn release(&self, key: String, token: String) {
        if self.entries.release(&key, &token).await.is_ok() {
            return;
        }
        let (entries, limits) = (Arc::clone(&self.entries), self.limits);
        tokio::spawn(async move {
            let began = Instant::now();
            while began.elapsed() < limits.ttl {
                tokio::time::sleep(limits.rest).await;
                if entries.release(&key, &token).await.is_ok() {
                    break;
                }
            }
        });
    }
}

/// A post; none where nobody has the id, or it is deleted.
pub async fn post(pool: &PgPool, cache: &Cache, id: Uuid) -> Result<Option<Post>> {
    let fetch = || {
        let pool = pool.clone();
        async move { today::post(&pool, id).await }
    };
    cache
        .get_or_fetch(Subject::Post(id), Option::is_none, fetch)
        .await
}

/// A conversation.
pub async fn conversation(pool: &PgPool, cache: &Cache, id: Uuid) -> Result<Details> {
    let fetch = || {
        let pool = pool.clone();
        async move { today::conversation(&pool, id).await }
    };
    let is_nothing = |details: &Details| details.member_count == 0;
    cache
        .get_or_fetch(Subject::Conversation(id), is_nothing, fetch)
        .await
}
