//! What PostgreSQL counts of its own work.
//!
//! Statements come from pg_stat_statements with `track = all`: top-level calls are the caller's,
//! nested ones are a trigger's work, and the buffers and rows of nested statements are already
//! part of their top-level one. Rows read and look-ups come from the cumulative statistics of
//! tables and indexes, where an index-only scan counts its index entries. WAL is the backend's
//! own (pg_stat_get_backend_wal), less the full-page images that pg_walinspect finds in it: they
//! come after a checkpoint, by chance on one side or the other.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{FromRow, PgPool, query, query_as, query_scalar};
use verdict_audit::Counter;
use verdict_audit::evidence::Plans;
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::{Meter, Reading};

/// The meter's own statements carry this comment, so that it can leave them out. It stands
/// inside the statement: PostgreSQL does not keep what stands before it.
macro_rules! own {
    ($columns:literal) => {
        concat!("SELECT /* verdict meter */ ", $columns)
    };
}

const STATEMENTS: &str = own!(
    "
    COALESCE(SUM(calls) FILTER (WHERE toplevel), 0)::bigint AS statements,
    COALESCE(SUM(calls) FILTER (WHERE NOT toplevel), 0)::bigint AS nested_statements,
    COALESCE(SUM(rows) FILTER (WHERE toplevel), 0)::bigint AS rows_returned,
    COALESCE(SUM(shared_blks_hit + shared_blks_read) FILTER (WHERE toplevel), 0)::bigint AS buffers
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
  AND query NOT LIKE '%verdict meter%'"
);

const OWN_TIME: &str = own!(
    "
    COALESCE(SUM(total_plan_time + total_exec_time) FILTER (WHERE toplevel), 0)::float8
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
  AND query NOT LIKE '%verdict meter%'"
);

const TABLES: &str = own!(
    "
    (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables)::bigint
        + (SELECT COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes)::bigint AS rows_read,
    (SELECT COALESCE(SUM(idx_scan), 0) FROM pg_stat_user_indexes)::bigint AS index_scans,
    (SELECT COALESCE(SUM(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables)::bigint
        AS rows_written"
);

const WAL: &str = own!(
    "
    wal_bytes::bigint AS bytes,
    wal_fpi::bigint AS images,
    pg_current_wal_flush_lsn()::text AS place
FROM pg_stat_get_backend_wal(pg_backend_pid())"
);

const IMAGES: &str = own!(
    "
    COALESCE(SUM(fpi_size), 0)::bigint
FROM pg_get_wal_stats($1::pg_lsn, $2::pg_lsn)"
);

const PLANS: &str = own!(
    "
    COALESCE(SUM(custom_plans), 0)::bigint AS custom,
    COALESCE(SUM(generic_plans), 0)::bigint AS generic
FROM pg_prepared_statements
WHERE statement NOT LIKE '%verdict meter%'"
);

#[derive(Debug, Clone, Copy, FromRow)]
struct Statements {
    statements: i64,
    nested_statements: i64,
    rows_returned: i64,
    buffers: i64,
}

#[derive(Debug, Clone, Copy, FromRow)]
struct Tables {
    rows_read: i64,
    index_scans: i64,
    rows_written: i64,
}

#[derive(Debug, Clone, FromRow)]
struct Wal {
    bytes: i64,
    images: i64,
    place: String,
}

/// The plans that prepared statements ran with so far.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct PlansUsed {
    custom: i64,
    generic: i64,
}

impl PlansUsed {
    /// The plans that were used since an earlier reading; none when nothing was planned.
    pub fn since(self, earlier: Self) -> Option<Plans> {
        match (self.custom > earlier.custom, self.generic > earlier.generic) {
            (true, false) => Some(Plans::Custom),
            (false, true) => Some(Plans::Generic),
            (true, true) => Some(Plans::Mixed),
            (false, false) => None,
        }
    }
}

/// The plans that prepared statements ran with so far on a pool of one connection.
///
/// # Errors
/// When PostgreSQL is away.
pub async fn plans_used(pool: &PgPool) -> Result<PlansUsed, Error> {
    query_as(PLANS)
        .fetch_one(pool)
        .await
        .doing("read the plans of prepared statements")
}

/// What PostgreSQL has taken to plan and to execute the statements of a database so far. Planning
/// is in it where sessions had it timed.
///
/// # Errors
/// When PostgreSQL is away.
pub async fn own_time(pool: &PgPool) -> Result<Duration, Error> {
    let milliseconds: f64 = query_scalar(OWN_TIME)
        .fetch_one(pool)
        .await
        .doing("read the times of pg_stat_statements")?;
    Ok(Duration::from_secs_f64(milliseconds.max(0.0) / 1e3))
}

#[derive(Debug, Clone)]
struct Totals {
    statements: Statements,
    tables: Tables,
    wal: Option<Wal>,
}

/// Lets a pool's one connection tell others what it has counted so far.
pub(crate) async fn tell_statistics(pool: &PgPool) -> Result<(), Error> {
    query(own!("pg_stat_force_next_flush()"))
        .execute(pool)
        .await
        .doing("flush the statistics")?;
    Ok(())
}

/// Reads the counters through a pool of one connection, which is the one that is counted: its
/// statistics and its prepared statements are its own.
#[derive(Debug)]
pub struct Postgres {
    pool: PgPool,
    /// Whether full-page images can be told from the rest.
    inspects: bool,
    begun: Option<Totals>,
}

impl Postgres {
    /// A meter on the pool of one connection that the counted calls are made through.
    pub async fn new(pool: &PgPool) -> Self {
        // Needs more rights than a database of one's own: without it, WAL of calls that wrote
        // full-page images is not told.
        let inspects = query("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
            .execute(pool)
            .await
            .is_ok();
        Self {
            pool: pool.clone(),
            inspects,
            begun: None,
        }
    }

    async fn totals(&self) -> Result<Totals, Error> {
        tell_statistics(&self.pool).await?;
        // The statistics of a transaction are flushed after it, so the reading has to be in
        // another one.
        Ok(Totals {
            statements: query_as(STATEMENTS)
                .fetch_one(&self.pool)
                .await
                .doing("read pg_stat_statements")?,
            tables: query_as(TABLES)
                .fetch_one(&self.pool)
                .await
                .doing("read the statistics of tables and indexes")?,
            // PostgreSQL 17 and older have no WAL statistics per backend.
            wal: query_as(WAL).fetch_one(&self.pool).await.ok(),
        })
    }

    /// WAL bytes without full-page images; none where they cannot be told apart.
    async fn wal(&self, before: &Wal, after: &Wal) -> Option<i64> {
        let bytes = after.bytes - before.bytes;
        if after.images == before.images {
            return Some(bytes);
        }
        if !self.inspects {
            return None;
        }
        let images: i64 = query_scalar(IMAGES)
            .bind(&before.place)
            .bind(&after.place)
            .fetch_one(&self.pool)
            .await
            .ok()?;
        // More images than bytes: they are not the backend's alone.
        Some(bytes - images).filter(|rest| *rest >= 0)
    }

    async fn since_begin(&mut self) -> Result<Reading, Error> {
        let after = self.totals().await?;
        let Some(before) = self.begun.take() else {
            return Ok(Reading::new());
        };
        let (old, new) = (before.statements, after.statements);
        let mut reading: BTreeMap<Counter, i64> = [
            (Counter::Statements, new.statements - old.statements),
            (
                Counter::NestedStatements,
                new.nested_statements - old.nested_statements,
            ),
            (Counter::RowsReturned, new.rows_returned - old.rows_returned),
            (Counter::Buffers, new.buffers - old.buffers),
        ]
        .into();
        let (old, new) = (before.tables, after.tables);
        reading.insert(Counter::RowsRead, new.rows_read - old.rows_read);
        reading.insert(Counter::IndexScans, new.index_scans - old.index_scans);
        reading.insert(Counter::RowsWritten, new.rows_written - old.rows_written);
        if let (Some(old), Some(new)) = (&before.wal, &after.wal) {
            reading.insert(Counter::FullPageImages, new.images - old.images);
            if let Some(bytes) = self.wal(old, new).await {
                reading.insert(Counter::WalBytes, bytes);
            }
        }
        Ok(reading
            .into_iter()
            .map(|(counter, value)| (counter, value as f64))
            .collect())
    }
}

impl Meter for Postgres {
    fn begin(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            self.begun = Some(self.totals().await?);
            Ok(())
        })
    }

    fn end(&mut self) -> BoxFuture<'_, Result<Reading, Error>> {
        Box::pin(self.since_begin())
    }
}
