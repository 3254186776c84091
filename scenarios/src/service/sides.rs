//! The two databases of the service.

use sqlx::postgres::PgConnectOptions;
use sqlx::{Executor, PgPool};
use verdict_audit::VariantName;

use crate::docket::ITEMS;
use crate::error::{Doing, Result};
use crate::session::settle;

/// How to connect to the database of each side.
#[derive(Debug, Clone)]
pub struct Sides {
    /// A world as it is today.
    pub baseline: PgConnectOptions,
    /// The same world after [`migrate_all`].
    pub optimized: PgConnectOptions,
}

/// Applies every item's fix to a database as it is today, in the audit's order, and brings the
/// statistics and the visibility of the touched tables up to date. Connections that are open
/// meanwhile keep plans of the schema before: migrate through a pool of its own.
///
/// # Errors
/// When PostgreSQL refuses a migration; those before it stay applied.
pub async fn migrate_all(pool: &PgPool) -> Result<()> {
    let mut touched = Vec::new();
    for item in ITEMS {
        if let Some(migration) = item.migration(&VariantName::Optimized) {
            pool.execute(migration.up)
                .await
                .doing("apply an item's fix to the optimized side")?;
            touched.extend(item.touches());
        }
    }
    touched.sort_unstable();
    touched.dedup();
    settle(pool, &touched).await
}
