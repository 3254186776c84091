//! A side of a trial as it stands, and how it is reached.

use std::time::{Duration, Instant};

use sqlx::query_scalar;
use verdict_engines::{Endpoints, Engines, Sandbox};
use verdict_store::fault::Doing;
use verdict_store::{Change, Connect, Store};

use crate::error::Result;

/// How long an engine may take over one statement before it is told to stop. A variant that
/// blocks is then refused like any other that does not run.
const DEADLINE: Duration = Duration::from_secs(600);

/// A side as it stands: where it is, the changes that were made to it, and a connection to it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub sandbox: Sandbox,
    pub applied: Vec<Change>,
    /// The databases of its parts of the world, by their rung.
    pub rungs: Vec<(u64, String)>,
    /// Settings that ClickHouse is asked with, whatever the variant.
    asked_with: Vec<(&'static str, String)>,
    pub store: Store,
}

impl Standing {
    /// Makes it, as the world has it.
    pub async fn open(engines: &Engines, role: &str) -> Result<Self> {
        let sandbox = engines.sandbox(role).await?;
        let store = reach(sandbox.endpoints(), &Connect::default()).await?;
        let mut standing = Self {
            asked_with: asked_with(&store).await?,
            sandbox,
            applied: Vec::new(),
            rungs: Vec::new(),
            store,
        };
        let today = standing.connect();
        let store = reach(standing.sandbox.endpoints(), &today).await?;
        std::mem::replace(&mut standing.store, store).close().await;
        Ok(standing)
    }

    /// How the side is connected.
    pub fn connect(&self) -> Connect {
        let changes = self.applied.iter();
        changes.fold(self.connect_as_today(), |connect, change| {
            (change.connect)(connect)
        })
    }

    /// How it is connected where no change says otherwise.
    pub fn connect_as_today(&self) -> Connect {
        Connect {
            postgres: vec![("statement_timeout", DEADLINE.as_millis().to_string())],
            clickhouse: self.asked_with.clone(),
            rungs: self.rungs.clone(),
            ..Connect::default()
        }
    }
}

/// How ClickHouse is asked: with a deadline, and, where the server has one, without the cache of
/// which granules met a condition before, for which a second call reads less than the first.
async fn asked_with(
    store: &Store,
) -> std::result::Result<Vec<(&'static str, String)>, verdict_store::Error> {
    const CONDITIONS: &str = "use_query_condition_cache";
    let known: u64 = store
        .clickhouse
        .query("SELECT count() FROM system.settings WHERE name = ?")
        .bind(CONDITIONS)
        .fetch_one()
        .await
        .doing("see which caches ClickHouse has")?;
    let deadline = ("max_execution_time", DEADLINE.as_secs().to_string());
    let without = (known > 0).then(|| (CONDITIONS, "0".to_owned()));
    Ok([deadline].into_iter().chain(without).collect())
}

/// Waits until a store's own connections are the only ones to its PostgreSQL database.
pub(crate) async fn alone(store: &Store) -> std::result::Result<(), verdict_store::Error> {
    const LEAVE: Duration = Duration::from_secs(5);
    let started = Instant::now();
    loop {
        let connected: i64 = query_scalar(
            "SELECT COUNT(*)
            FROM pg_stat_activity
            WHERE datname = CURRENT_DATABASE()
              AND backend_type = 'client backend'",
        )
        .fetch_one(&store.postgres)
        .await
        .doing("see who else is connected")?;
        if connected <= i64::from(store.postgres.size()) || started.elapsed() > LEAVE {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Connects to a side.
pub(crate) async fn reach(
    endpoints: &Endpoints,
    connect: &Connect,
) -> std::result::Result<Store, verdict_store::Error> {
    Store::connect(
        &endpoints.postgres,
        &endpoints.clickhouse,
        &endpoints.redis,
        connect,
    )
    .await
}
