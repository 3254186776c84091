//! The two sides of the service: where their databases are, and what makes the second of them.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use verdict_audit::Side;
use verdict_engines::{ClickHouseAddress, Endpoints, RedisAddress};
use verdict_optimized::{FIXES, as_proposed};
use verdict_store::settle::settle;
use verdict_store::{Connect, Fault, Store, Table, change};

use crate::error::{Error, Result};

/// How to connect to the databases of each side.
#[derive(Debug, Clone)]
pub struct Sides {
    /// A world as it is today.
    pub baseline: SideAddress,
    /// The same world after [`migrate_all`].
    pub optimized: SideAddress,
}

/// How to connect to the databases of one side.
#[derive(Debug, Clone)]
pub struct SideAddress {
    /// PostgreSQL.
    pub postgres: PgConnectOptions,
    /// ClickHouse.
    pub clickhouse: ClickHouseAddress,
    /// Redis, which only the optimized side asks anything of.
    pub redis: RedisAddress,
}

impl From<&Endpoints> for SideAddress {
    fn from(endpoints: &Endpoints) -> Self {
        Self {
            postgres: endpoints.postgres.clone(),
            clickhouse: endpoints.clickhouse_address(),
            redis: RedisAddress::from(&endpoints.redis),
        }
    }
}

/// How a side is connected: as sqlx does when nothing is said, changed by every fix that says
/// something.
pub(crate) fn connect(side: Side) -> Connect {
    match side {
        Side::Baseline => Connect::default(),
        Side::Optimized => FIXES
            .iter()
            .fold(Connect::default(), |connect, fix| (fix.connect)(connect)),
    }
}

/// Applies every item's fix to a side as it is today, in the audit's order, and brings the
/// statistics and the visibility of the touched tables up to date. Connections that are open
/// meanwhile keep plans of the schema before: migrate through a store of its own.
///
/// # Errors
/// When an engine refuses a fix, or is away; the fixes before it stay applied.
pub fn migrate_all(store: &Store) -> BoxFuture<'_, Result<()>> {
    // Boxed here, so that it is compiled once and not in every program that migrates.
    Box::pin(async { apply(store).await.map_err(Error::Migrate) })
}

async fn apply(store: &Store) -> std::result::Result<(), Fault> {
    let mut touched: BTreeSet<Table> = BTreeSet::new();
    for fix in FIXES {
        change::run(fix.up, store).await?;
        touched.extend(fix.touches);
    }
    let touched: Vec<Table> = touched.into_iter().collect();
    Ok(settle(&store.postgres, &touched).await?)
}

/// What today's feed stands on: the tables that the audit defines, filled once. Without them
/// today's feed is empty, so that there would be nothing to measure.
///
/// # Errors
/// When ClickHouse refuses, or is away.
pub fn give_ground(store: &Store) -> BoxFuture<'_, Result<()>> {
    Box::pin(async {
        change::run(as_proposed::feed_tables::CHANGE.up, store)
            .await
            .map_err(Error::Migrate)
    })
}
