//! One side of the service: its pool, and what is counted about it.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{PgPool, query_scalar};
use tracing::Dispatch;
use tracing::instrument::{WithDispatch, WithSubscriber};
use uuid::Uuid;
use verdict_audit::Side;
use verdict_engines::RedisAddress;
use verdict_optimized::cache::{Cache, Limits};
use verdict_store::waits::Waits;

use crate::error::Error;
use crate::histogram::Histogram;
use crate::refusal::Refusal;
use crate::sides::{self, SideAddress};

/// A side's database, shared by all requests to it.
pub(crate) struct Database {
    /// Which side.
    pub side: Side,
    /// Its connections to PostgreSQL.
    pub pool: PgPool,
    /// ClickHouse.
    pub clickhouse: clickhouse::Client,
    /// What is kept of its answers; none on the side that is as today.
    pub cache: Option<Cache>,
    waits: Arc<Histogram>,
    time_outs: Arc<AtomicU64>,
    listener: Dispatch,
}

/// The cache and the client have nothing to show.
impl Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.side).finish()
    }
}

impl Database {
    /// Connects on first use, so that a database that is away is a 503 and not a service that
    /// does not start. To be called in the runtime that serves.
    ///
    /// # Errors
    /// When Redis's address is none.
    pub fn new(side: Side, address: SideAddress) -> Result<Self, Error> {
        let waits = Arc::new(Histogram::default());
        let connect = sides::connect(side);
        let options = connect
            .postgres
            .into_iter()
            .fold(address.postgres, |options, setting| {
                options.options([setting])
            });
        let cache = match side {
            Side::Baseline => None,
            Side::Optimized => Some(cache(&address.redis)?),
        };
        Ok(Self {
            side,
            cache,
            clickhouse: address.clickhouse.client(),
            // Anything above zero is "slow", so that every acquisition is told. This is no
            // setting of the pool's behaviour.
            pool: connect
                .pool
                .acquire_slow_threshold(Duration::ZERO)
                .connect_lazy_with(options),
            listener: Dispatch::new(Waits(Arc::clone(&waits))),
            waits,
            time_outs: Arc::default(),
        })
    }

    /// The same side, on the same connections, with nothing kept of its answers.
    pub fn uncached(&self) -> Self {
        Self {
            side: self.side,
            pool: self.pool.clone(),
            clickhouse: self.clickhouse.clone(),
            cache: None,
            waits: Arc::clone(&self.waits),
            time_outs: Arc::clone(&self.time_outs),
            listener: self.listener.clone(),
        }
    }

    /// Time from asking for a connection to having one, the pool's own check of it included.
    pub fn waits(&self) -> &Histogram {
        &self.waits
    }

    /// Operations that got no connection in time.
    pub fn time_outs(&self) -> u64 {
        self.time_outs.load(Ordering::Relaxed)
    }

    /// Waits for an operation on the pool, counting its waits, and makes of its error what the
    /// client may know.
    pub async fn answer<T>(
        &self,
        operation: impl Future<Output = verdict_baseline::Result<T>>,
    ) -> Result<T, Refusal> {
        self.heard(operation).await.map_err(|error| {
            if matches!(
                error,
                verdict_baseline::Error::Postgres(sqlx::Error::PoolTimedOut)
            ) {
                self.time_outs.fetch_add(1, Ordering::Relaxed);
            }
            Refusal::of(self.side, error)
        })
    }

    /// An operation whose waits for a connection are counted, whoever drives it.
    pub fn heard<F: Future>(&self, operation: F) -> WithDispatch<F> {
        operation.with_subscriber(self.listener.clone())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Refusal> {
        self.answer(async { Ok(query_scalar("SELECT 1").fetch_one(&self.pool).await?) })
            .await
            .map(|_: i32| ())
    }

    /// Refuses when an empty page is empty because nobody has that id. Asked of empty pages
    /// alone, so that a page with rows costs no statement more than today.
    pub async fn known(
        &self,
        statement: &'static str,
        what: &'static str,
        id: Uuid,
    ) -> Result<(), Refusal> {
        let known = self
            .answer(async {
                Ok(query_scalar(statement)
                    .bind(id)
                    .fetch_one(&self.pool)
                    .await?)
            })
            .await?;
        if known {
            Ok(())
        } else {
            Err(Refusal::not_found(format!(
                "there is no {what} {id} on the {} side",
                self.side
            )))
        }
    }
}

fn cache(address: &RedisAddress) -> Result<Cache, Error> {
    let redis = address
        .client()
        .map_err(|error| Error::Cache(error.to_string()))?;
    Cache::new(&redis, Limits::default(), Arc::default())
        .map_err(|error| Error::Cache(error.to_string()))
}
