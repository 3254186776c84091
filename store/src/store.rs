//! The handles of one side, and how they are connected.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::client::ClientCounts;
use crate::fault::{Doing, Error, Fault};
use crate::kept::Kept;
use crate::lend::Lend;
use crate::waits::Waits;

/// How long Redis may take over one command: the default of half a second is too short for many
/// callers on a small machine.
const RESPONSE: Duration = Duration::from_secs(30);

/// One side's engines. Cheap to clone. A struct of handles, since some items need several at
/// once.
#[derive(Clone)]
pub struct Store {
    /// PostgreSQL, a connection for each statement.
    pub postgres: PgPool,
    /// PostgreSQL, a connection for several statements.
    pub lender: Arc<dyn Lend>,
    /// ClickHouse.
    pub clickhouse: clickhouse::Client,
    /// Redis, one connection that is shared and comes back by itself.
    pub redis: ConnectionManager,
    /// Where Redis answers, for whoever brings a connection of his own.
    pub redis_at: redis::Client,
    /// What only this client sees.
    pub client: Arc<ClientCounts>,
    /// What its callers keep in the process.
    pub kept: Arc<Kept>,
    /// ClickHouse on the databases of the side that hold a part of the world, by its rung.
    rungs: Arc<BTreeMap<u64, clickhouse::Client>>,
    listener: Option<Dispatch>,
}

/// How a side is reached.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The pool of PostgreSQL connections.
    pub pool: PgPoolOptions,
    /// Settings of each PostgreSQL session.
    pub postgres: Vec<(&'static str, String)>,
    /// Settings of each ClickHouse query.
    pub clickhouse: Vec<(&'static str, String)>,
    /// The ClickHouse databases that hold a part of the world, by its rung.
    pub rungs: Vec<(u64, String)>,
    /// Who lends connections for several statements.
    pub lender: fn(&PgPool) -> Arc<dyn Lend>,
    /// Whether waits for a connection are counted; the pool then tells each of them.
    pub counted: bool,
}

impl Default for Connect {
    /// As today: what sqlx does when nothing is said.
    fn default() -> Self {
        Self {
            pool: PgPoolOptions::new(),
            postgres: Vec::new(),
            clickhouse: Vec::new(),
            rungs: Vec::new(),
            lender: |pool| Arc::new(pool.clone()),
            counted: false,
        }
    }
}

impl Connect {
    /// The same over one connection, which knows all of its own statistics.
    #[must_use]
    pub fn by_one(self) -> Self {
        Self {
            pool: self.pool.max_connections(1),
            ..self
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("postgres", &self.postgres)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Connects to a side.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached. The others are reached when they are first asked.
    pub async fn connect(
        postgres: &PgConnectOptions,
        clickhouse: &clickhouse::Client,
        redis: &redis::Client,
        connect: &Connect,
    ) -> Result<Self, Error> {
        let store = Self::lazy(postgres, clickhouse, redis, connect)?;
        // Heard, where it is counted: who tells of waits asks once whether anybody listens.
        let connected = async { Ok(open(&store.postgres).await) };
        match store.hear(connected).await {
            Ok(connected) => connected.doing("connect to a side")?,
            Err(Fault::Harness(error)) => return Err(error),
            Err(Fault::Variant(_)) => {}
        }
        Ok(store)
    }

    /// A store that reaches its engines when they are first asked.
    ///
    /// # Errors
    /// When Redis's address is none.
    pub fn lazy(
        postgres: &PgConnectOptions,
        clickhouse: &clickhouse::Client,
        redis: &redis::Client,
        connect: &Connect,
    ) -> Result<Self, Error> {
        let client = Arc::new(ClientCounts::default());
        let options = connect
            .postgres
            .iter()
            .fold(postgres.clone(), |options, (name, value)| {
                options.options([(*name, value)])
            });
        let mut pool = connect.pool.clone();
        if connect.counted {
            pool = pool.acquire_slow_threshold(Duration::ZERO);
        }
        let postgres = pool.connect_lazy_with(options);
        let clickhouse = connect
            .clickhouse
            .iter()
            .fold(clickhouse.clone(), |client, (name, value)| {
                client.with_setting(*name, value)
            });
        // Made once: a client on another database forgets what it knows of tables.
        let rungs = connect.rungs.iter().map(|(rung, database)| {
            let client = clickhouse.clone().with_database(database);
            (*rung, client)
        });
        let rungs = Arc::new(rungs.collect());
        let redis_at = redis.clone();
        let redis = redis
            .get_connection_manager_lazy(
                // A slow command is the variant's affair, and no sign of a server that is gone.
                ConnectionManagerConfig::new().set_response_timeout(Some(RESPONSE)),
            )
            .doing("take the address of Redis")?;
        Ok(Self {
            lender: (connect.lender)(&postgres),
            postgres,
            clickhouse,
            rungs,
            redis,
            redis_at,
            kept: Arc::default(),
            listener: connect
                .counted
                .then(|| Dispatch::new(Waits(Arc::clone(&client)))),
            client,
        })
    }

    /// The same store with ClickHouse on the part of the world of a rung; `None` where there is no
    /// such part.
    pub fn rung(&self, rung: u64) -> Option<Self> {
        Some(Self {
            clickhouse: self.rungs.get(&rung)?.clone(),
            ..self.clone()
        })
    }

    /// The rungs that have a part of the world in ClickHouse, ascending; the whole is none of
    /// them.
    pub fn rungs(&self) -> impl Iterator<Item = u64> {
        self.rungs.keys().copied()
    }

    /// Waits for a call on this store, counting its waits where the store is counted.
    pub async fn hear<T>(&self, call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        match &self.listener {
            Some(listener) => call.with_subscriber(listener.clone()).await,
            None => call.await,
        }
    }

    /// Closes the PostgreSQL connections, so that none stands on a database that is dropped next.
    pub async fn close(self) {
        self.postgres.close().await;
    }
}

/// Opens the connections that are kept warm, one at least, as sqlx does for a pool that is not
/// made lazily.
async fn open(pool: &PgPool) -> sqlx::Result<()> {
    let most = pool.options().get_max_connections();
    let warm = pool.options().get_min_connections().min(most).max(1);
    let mut opened = Vec::new();
    for _ in 0..warm {
        opened.push(pool.acquire().await?);
    }
    Ok(())
}
