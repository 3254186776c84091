//! Versions of a table's rows that calls leave.

use sqlx::{PgPool, query_as};
use verdict_store::Error;
use verdict_store::fault::Doing;

use crate::meters::tell_statistics;

/// Versions of rows of a table that a call leaves, and those of them that no index hears of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Versions {
    /// All.
    pub all: f64,
    /// Those that no index hears of.
    pub hot: f64,
}

/// Updates of a table's rows so far.
#[derive(Debug, Clone, Copy)]
pub struct Updates {
    all: i64,
    hot: i64,
}

impl Updates {
    /// Those that the pool's one connection knows of.
    ///
    /// # Errors
    /// When PostgreSQL refuses, or is away.
    pub async fn so_far(pool: &PgPool, table: &str) -> Result<Self, Error> {
        tell_statistics(pool).await?;
        let (all, hot) = query_as(
            "SELECT n_tup_upd, n_tup_hot_upd
            FROM pg_stat_user_tables
            WHERE relname = $1",
        )
        .bind(table)
        .fetch_one(pool)
        .await
        .doing("read the statistics of a table")?;
        Ok(Self { all, hot })
    }

    /// What each of so many calls since then has left.
    pub fn per_call(self, since: Self, calls: usize) -> Versions {
        let share = |now: i64, then: i64| (now - then) as f64 / calls as f64;
        Versions {
            all: share(self.all, since.all),
            hot: share(self.hot, since.hot),
        }
    }
}
