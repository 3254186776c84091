//! The audit's fix for item 13: an answer is looked up in Redis, fetched where it is not there,
//! and kept for a time that is told.
//!
//! What of it does not compile with redis 1.x is said with the nearest call that does: a connection
//! is had by `get_multiplexed_async_connection`, which as it is used there serves one call as
//! `get_async_connection` did. The audit removes by a method that it does not show; it is one
//! connection and one DEL. It names conversations among what should be cached and shows neither
//! their key nor what removes them: they are kept as posts are, and nothing removes them.

use std::sync::Arc;

use redis::AsyncCommands;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::cache::{self as today, Details, Post};
use verdict_store::ClientCounts;

/// Seconds for which answers are kept.
pub const TTL_SECONDS: u64 = 300;

/// Answers in Redis.
#[derive(Debug, Clone)]
pub struct QueryCache {
    redis: redis::Client,
    ttl_seconds: u64,
    counts: Arc<ClientCounts>,
}

impl QueryCache {
    /// A cache that keeps answers for so many seconds and counts hits and misses; it connects for
    /// each call.
    pub fn new(redis: redis::Client, ttl_seconds: u64, counts: Arc<ClientCounts>) -> Self {
        Self {
            redis,
            ttl_seconds,
            counts,
        }
    }

    /// What is kept under a key, or else what `fetch` answers, which is then kept.
    ///
    /// # Errors
    /// Those of `fetch`; and those of Redis, unless it is the look-up itself that fails.
    pub async fn get_or_fetch<T>(
        &self,
        key: &str,
        fetch: impl Future<Output = Result<T>>,
    ) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
    {
        let mut connection = self.redis.get_multiplexed_async_connection().await?;
        if let Ok(Some(kept)) = connection.get::<_, Option<String>>(key).await
            && let Ok(answer) = serde_json::from_str(&kept)
        {
            self.counts.hit();
            return Ok(answer);
        }
        self.counts.missed();
        let answer = fetch.await?;
        let text = serde_json::to_string(&answer)?;
        let () = connection.set_ex(key, text, self.ttl_seconds).await?;
        Ok(answer)
    }

    /// Removes what is kept under a key.
    ///
    /// # Errors
    /// Those of Redis.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let mut connection = self.redis.get_multiplexed_async_connection().await?;
        Ok(connection.del(key).await?)
    }
}

/// A post; none where nobody has the id, or it is deleted, and that is kept as well.
pub async fn post(pool: &PgPool, cache: &QueryCache, id: Uuid) -> Result<Option<Post>> {
    cache
        .get_or_fetch(&post_key(id), today::post(pool, id))
        .await
}

/// A conversation.
pub async fn conversation(pool: &PgPool, cache: &QueryCache, id: Uuid) -> Result<Details> {
    let key = format!("conversation:{id}");
    cache
        .get_or_fetch(&key, today::conversation(pool, id))
        .await
}

/// Gives a post another status, and then removes what is kept of it.
pub async fn update_status(
    pool: &PgPool,
    cache: &QueryCache,
    post: Uuid,
    status: &str,
) -> Result<()> {
    today::update_status(pool, post, status).await?;
    forget_post(cache, post).await
}

/// Removes what is kept of a post, as after an update or a deletion; nothing is removed after one
/// comes to be.
pub async fn forget_post(cache: &QueryCache, post: Uuid) -> Result<()> {
    cache.delete(&post_key(post)).await
}

fn post_key(post: Uuid) -> String {
    format!("post:{post}")
}
