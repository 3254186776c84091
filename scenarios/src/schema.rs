//! What a side's schema consists of, as PostgreSQL and ClickHouse list it.

use std::collections::BTreeMap;

use sqlx::query_as;
use verdict_store::fault::Doing;
use verdict_store::{Error, Store};

/// Definitions by kind and name.
pub type Schema = BTreeMap<String, String>;

/// What functions are listed as.
pub(crate) const FUNCTION: &str = "function ";

const POSTGRES: &str = "
WITH own AS (
    SELECT oid, relname, relkind, reloptions
    FROM pg_class
    WHERE relnamespace = CURRENT_SCHEMA()::regnamespace
)
SELECT 'table ' || relname, CONCAT_WS(' ', relkind::text, ARRAY_TO_STRING(reloptions, ' '))
FROM own
WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT
    'column ' || relname || '.' || attname,
    CONCAT_WS(
        ' ',
        FORMAT_TYPE(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'NOT NULL' END,
        attgenerated::text,
        PG_GET_EXPR(adbin, adrelid)
    )
FROM own
JOIN pg_attribute ON attrelid = own.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT
    'index ' || relname,
    CONCAT_WS(' ', PG_GET_INDEXDEF(indexrelid), CASE WHEN NOT indisvalid THEN 'INVALID' END)
FROM own
JOIN pg_index ON indexrelid = own.oid
UNION ALL
SELECT 'constraint ' || relname || '.' || conname, PG_GET_CONSTRAINTDEF(pg_constraint.oid)
FROM own
JOIN pg_constraint ON conrelid = own.oid
UNION ALL
SELECT
    'trigger ' || relname || '.' || tgname,
    PG_GET_TRIGGERDEF(pg_trigger.oid) || ' ' || tgenabled::text
FROM own
JOIN pg_trigger ON tgrelid = own.oid AND NOT tgisinternal
UNION ALL
SELECT 'function ' || oid::regprocedure::text, PG_GET_FUNCTIONDEF(oid)
FROM pg_proc
WHERE pronamespace = CURRENT_SCHEMA()::regnamespace
  AND prokind IN ('f', 'p')
UNION ALL
SELECT 'extension ' || extname, extversion
FROM pg_extension";

/// What a materialized view keeps in a table of its own goes by another name each time.
const CLICKHOUSE: &str = "
SELECT name, create_table_query
FROM system.tables
WHERE database = currentDatabase()
  AND NOT startsWith(name, '.inner')";

/// The schema as it is now: tables, columns, indexes, constraints, triggers, functions and
/// extensions of PostgreSQL, and tables and views of ClickHouse.
///
/// # Errors
/// When an engine refuses, or is away.
pub async fn schema(store: &Store) -> Result<Schema, Error> {
    let listed: Vec<(String, String)> = query_as(POSTGRES)
        .fetch_all(&store.postgres)
        .await
        .doing("list the schema")?;
    let tables = store.clickhouse.query(CLICKHOUSE);
    let tables: Vec<(String, String)> = tables.fetch_all().await.doing("list the tables")?;
    let tables = tables
        .into_iter()
        .map(|(name, definition)| (format!("ClickHouse {name}"), definition));
    Ok(listed.into_iter().chain(tables).collect())
}
