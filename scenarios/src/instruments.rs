//! What PostgreSQL counts of its own work: free of noise, so that CI can gate on it.
//!
//! Statements come from pg_stat_statements with `track = all`: top-level calls are round
//! trips, nested ones are a trigger's work, and the buffers, rows and WAL of nested statements
//! are already part of their top-level one. Rows read come from the cumulative statistics of
//! tables and indexes, where an index-only scan counts its index entries.

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{FromRow, PgPool, query, query_as};

use crate::error::{Doing, Result};

/// Calls made before counting: from the sixth execution on PostgreSQL may use a generic plan.
pub const WARM_UP_CALLS: u64 = 6;

/// The instrument's own statements carry this comment, so that it can leave them out. It stands
/// inside the statement: PostgreSQL does not keep what stands before it.
macro_rules! own {
    ($columns:literal) => {
        concat!("SELECT /* verdict instrument */ ", $columns)
    };
}

/// Counters since the database was made. Differences of two readings are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, FromRow)]
pub struct Reading {
    round_trips: i64,
    nested_statements: i64,
    rows_returned: i64,
    buffers: i64,
    wal_bytes: i64,
    wal_full_page_images: i64,
    #[sqlx(skip)]
    rows_read: i64,
    #[sqlx(skip)]
    row_versions: i64,
    #[sqlx(skip)]
    custom_plans: i64,
    #[sqlx(skip)]
    generic_plans: i64,
}

const STATEMENTS: &str = own!(
    "
    COALESCE(SUM(calls) FILTER (WHERE toplevel), 0)::bigint AS round_trips,
    COALESCE(SUM(calls) FILTER (WHERE NOT toplevel), 0)::bigint AS nested_statements,
    COALESCE(SUM(rows) FILTER (WHERE toplevel), 0)::bigint AS rows_returned,
    COALESCE(SUM(shared_blks_hit + shared_blks_read) FILTER (WHERE toplevel), 0)::bigint AS buffers,
    COALESCE(SUM(wal_bytes) FILTER (WHERE toplevel), 0)::bigint AS wal_bytes,
    COALESCE(SUM(wal_fpi) FILTER (WHERE toplevel), 0)::bigint AS wal_full_page_images
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
  AND query NOT LIKE '%verdict instrument%'"
);

const TABLES: &str = own!(
    "
    (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables)::bigint
        + (SELECT COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes)::bigint,
    (SELECT COALESCE(SUM(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables)::bigint"
);

const PLANS: &str = own!(
    "
    COALESCE(SUM(custom_plans), 0)::bigint,
    COALESCE(SUM(generic_plans), 0)::bigint
FROM pg_prepared_statements
WHERE statement NOT LIKE '%verdict instrument%'"
);

/// A database seen through one connection, so that its prepared statements and its share of
/// the cumulative statistics can be read.
#[derive(Debug)]
pub struct Instrument {
    pool: PgPool,
}

impl Instrument {
    /// Connects. With `generic`, PostgreSQL is made to use generic plans.
    pub async fn connect(options: &PgConnectOptions, generic: bool) -> Result<Self> {
        let mode = if generic {
            "force_generic_plan"
        } else {
            "auto"
        };
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone().options([("plan_cache_mode", mode)]))
            .await
            .doing("connect the instrument")?;
        Ok(Self { pool })
    }

    /// The connection to make the counted calls on.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Reads every counter.
    pub async fn read(&self) -> Result<Reading> {
        query(own!("pg_stat_force_next_flush()"))
            .execute(&self.pool)
            .await
            .doing("flush the statistics")?;
        // The statistics of a transaction are flushed after it, so the reading has to be in
        // another one.
        let mut reading: Reading = query_as(STATEMENTS)
            .fetch_one(&self.pool)
            .await
            .doing("read pg_stat_statements")?;
        (reading.rows_read, reading.row_versions) = query_as(TABLES)
            .fetch_one(&self.pool)
            .await
            .doing("read the statistics of tables and indexes")?;
        (reading.custom_plans, reading.generic_plans) = query_as(PLANS)
            .fetch_one(&self.pool)
            .await
            .doing("read the plans of prepared statements")?;
        Ok(reading)
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// What a number of calls cost together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    calls: u64,
    total: Reading,
}

impl Counted {
    /// Adds one call, made between two readings.
    pub fn add(&mut self, before: &Reading, after: &Reading) {
        self.calls += 1;
        let total = &mut self.total;
        total.round_trips += after.round_trips - before.round_trips;
        total.nested_statements += after.nested_statements - before.nested_statements;
        total.rows_returned += after.rows_returned - before.rows_returned;
        total.buffers += after.buffers - before.buffers;
        total.wal_bytes += after.wal_bytes - before.wal_bytes;
        total.wal_full_page_images += after.wal_full_page_images - before.wal_full_page_images;
        total.rows_read += after.rows_read - before.rows_read;
        total.row_versions += after.row_versions - before.row_versions;
        total.custom_plans += after.custom_plans - before.custom_plans;
        total.generic_plans += after.generic_plans - before.generic_plans;
    }

    /// The counters per call, by name.
    pub fn per_call(&self) -> BTreeMap<String, f64> {
        let total = &self.total;
        [
            ("round_trips", total.round_trips),
            ("nested_statements", total.nested_statements),
            ("rows_returned", total.rows_returned),
            ("rows_read", total.rows_read),
            ("row_versions", total.row_versions),
            ("buffers", total.buffers),
            ("wal_bytes", total.wal_bytes),
            ("wal_full_page_images", total.wal_full_page_images),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value as f64 / self.calls as f64))
        .collect()
    }

    /// The plans that were used: `custom`, `generic` or `mixed`; none when nothing was planned.
    pub fn plan(&self) -> Option<String> {
        match (self.total.custom_plans > 0, self.total.generic_plans > 0) {
            (true, false) => Some("custom".to_owned()),
            (false, true) => Some("generic".to_owned()),
            (true, true) => Some("mixed".to_owned()),
            (false, false) => None,
        }
    }
}
