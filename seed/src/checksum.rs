//! Row counts and order-independent checksums: is it the same world?

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgPool};

use crate::error::Error;

/// One table's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSum {
    /// Rows in it.
    pub rows: u64,
    /// The sum of a 64-bit hash of each row: the same rows in any order have the same sum.
    pub sum: i128,
}

/// Each table's columns, as a row whose hash is defined: text search vectors and `json`
/// have none of their own.
const COLUMNS: &str = "
    SELECT c.relname::text, string_agg(
        quote_ident(a.attname)
            || CASE WHEN a.atttypid IN ('tsvector'::regtype, 'json'::regtype) THEN '::text' ELSE '' END,
        ', ' ORDER BY a.attname
    )
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace
      AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
    GROUP BY c.relname
    ORDER BY c.relname";

/// The tables of the current schema of a PostgreSQL database, every one where none is named. Comparable between databases
/// of one server version, whatever the order of rows and columns.
///
/// # Errors
/// When PostgreSQL refuses a query.
pub fn postgres_checksums<'a>(
    pool: &'a PgPool,
    only: Option<Vec<&'a str>>,
) -> BoxFuture<'a, Result<BTreeMap<String, TableSum>, Error>> {
    Box::pin(async move {
        let tables: Vec<(String, String)> = sqlx::query_as(COLUMNS)
            .fetch_all(pool)
            .await
            .map_err(Error::postgres("list the tables"))?;
        let mut sums = BTreeMap::new();
        for (table, columns) in tables {
            if only.as_ref().is_some_and(|only| !only.contains(&&*table)) {
                continue;
            }
            let sum = format!(
                "SELECT count(*), coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0)::text
             FROM \"{table}\""
            );
            let what = || format!("sum up `{table}`");
            let (rows, sum): (i64, String) = sqlx::query_as(AssertSqlSafe(sum))
                .fetch_one(pool)
                .await
                .map_err(Error::postgres(what()))?;
            let sum = sum
                .parse()
                .map_err(|e| Error::postgres(what())(sqlx::Error::Decode(Box::new(e))))?;
            let rows = rows.unsigned_abs();
            sums.insert(table, TableSum { rows, sum });
        }
        Ok(sums)
    })
}

#[derive(Row, Deserialize)]
struct Named {
    name: String,
    engine: String,
}

#[derive(Row, Deserialize)]
struct Summed {
    rows: u64,
    sum: u64,
}

/// The tables of the client's ClickHouse database, every one but the views where none is named. Replacing tables are read
/// as they are after merging (FINAL), as how much is merged yet is ClickHouse's own affair.
///
/// # Errors
/// When ClickHouse refuses a query.
pub fn clickhouse_checksums<'a>(
    client: &'a Client,
    only: Option<Vec<&'a str>>,
) -> BoxFuture<'a, Result<BTreeMap<String, TableSum>, Error>> {
    Box::pin(async move {
        let list = "SELECT name, engine FROM system.tables
                WHERE database = currentDatabase() AND engine LIKE '%MergeTree'";
        let tables: Vec<Named> = client
            .query(list)
            .fetch_all()
            .await
            .map_err(Error::clickhouse("list the tables"))?;
        let mut sums = BTreeMap::new();
        for Named { name, engine } in tables {
            if only.as_ref().is_some_and(|only| !only.contains(&&*name)) {
                continue;
            }
            let merged = if engine.contains("Replacing") {
                "FINAL"
            } else {
                ""
            };
            // formatRow tells NULL from empty and where a field ends; hashing all columns does not.
            let sum = format!(
                "SELECT count() AS rows, sum(cityHash64(formatRow('RowBinary', *))) AS sum
             FROM `{name}` {merged}"
            );
            let summed: Summed = client
                .query(&sum)
                .fetch_one()
                .await
                .map_err(Error::clickhouse(format!("sum up `{name}`")))?;
            let (rows, sum) = (summed.rows, summed.sum.into());
            sums.insert(name, TableSum { rows, sum });
        }
        Ok(sums)
    })
}
