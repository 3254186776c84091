//! Tables, their partitions and parts, merges and growth.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::{Result, Seen};

/// What switches the log of parts on.
const SWITCHED_ON: &str = "a <part_log> in the server's configuration";

const PARTS: &str = "system.parts";
const LOG: &str = "system.part_log";

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Table {
    /// Its name, with its database.
    pub name: String,
    /// Its engine.
    pub engine: String,
    /// Partitions.
    pub partitions: u64,
    /// Parts.
    pub parts: u64,
    /// Parts of the partition that has most: ClickHouse refuses inserts where they are too many.
    pub most_parts: u64,
    /// Rows, of all versions.
    pub rows: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Partition {
    /// Its table, with its database.
    pub table: String,
    /// Its name; `tuple()` where the table is not divided.
    pub name: String,
    /// Parts.
    pub parts: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// A merge that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Row)]
pub struct Merging {
    /// Its table, with its database.
    pub table: String,
    /// Parts that become one.
    pub parts: u64,
    /// Seconds so far.
    pub seconds: f64,
    /// How far it is, from 0 to 1.
    pub progress: f64,
    /// Bytes that become one part.
    pub bytes: u64,
}

/// Merges of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Row)]
pub struct Merges {
    /// The table, with its database.
    pub table: String,
    /// Merges.
    pub merges: u64,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Rows that went in.
    pub rows_read: u64,
    /// Rows that came out: fewer, where versions are replaced.
    pub rows: u64,
    /// Bytes that were written.
    pub bytes: u64,
}

/// What was inserted into a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Growth {
    /// The table, with its database.
    pub table: String,
    /// Rows in the last day.
    pub rows_a_day: u64,
    /// Bytes on the disk in the last day, before they were merged.
    pub bytes_a_day: u64,
    /// Bytes in the last seven days.
    pub bytes_a_week: u64,
}

const TABLES: &str = "
SELECT
    concat(database, '.', table) AS name,
    any(each.engine) AS engine,
    count() AS partitions,
    sum(each.parts) AS parts,
    max(each.parts) AS most_parts,
    sum(each.rows) AS rows,
    sum(each.bytes) AS bytes
FROM (
    SELECT
        database,
        table,
        any(p.engine) AS engine,
        count() AS parts,
        sum(p.rows) AS rows,
        sum(p.bytes_on_disk) AS bytes
    FROM system.parts AS p
    WHERE active
      AND lower(database) NOT IN ('system', 'information_schema')
    GROUP BY database, table, partition
) AS each
GROUP BY database, table
ORDER BY bytes DESC, name
LIMIT 20";

const PARTITIONS: &str = "
SELECT
    concat(database, '.', p.table) AS table,
    p.partition AS name,
    count() AS parts,
    sum(p.rows) AS rows,
    sum(p.bytes_on_disk) AS bytes
FROM system.parts AS p
WHERE active
  AND lower(database) NOT IN ('system', 'information_schema')
GROUP BY p.database, p.table, p.partition
ORDER BY bytes DESC, table, name
LIMIT 20";

const MERGING: &str = "
SELECT
    concat(database, '.', m.table) AS table,
    m.num_parts AS parts,
    toFloat64(m.elapsed) AS seconds,
    toFloat64(m.progress) AS progress,
    m.total_size_bytes_compressed AS bytes
FROM system.merges AS m
ORDER BY seconds DESC
LIMIT 20";

const MERGES: &str = "
SELECT
    concat(database, '.', l.table) AS table,
    count() AS merges,
    toFloat64(sum(l.duration_ms)) AS total_ms,
    sum(l.read_rows) AS rows_read,
    sum(l.rows) AS rows,
    sum(l.size_in_bytes) AS bytes
FROM system.part_log AS l
WHERE event_date >= today() - 1
  AND event_time >= now() - INTERVAL 1 DAY
  AND event_type = 'MergeParts'
  AND lower(database) NOT IN ('system', 'information_schema')
GROUP BY l.database, l.table
ORDER BY total_ms DESC, table
LIMIT 20";

const GROWTH: &str = "
SELECT
    concat(database, '.', l.table) AS table,
    sumIf(l.rows, event_time >= now() - INTERVAL 1 DAY) AS rows_a_day,
    sumIf(l.size_in_bytes, event_time >= now() - INTERVAL 1 DAY) AS bytes_a_day,
    sum(l.size_in_bytes) AS bytes_a_week
FROM system.part_log AS l
WHERE event_date >= today() - 7
  AND event_time >= now() - INTERVAL 7 DAY
  AND event_type = 'NewPart'
  AND lower(database) NOT IN ('system', 'information_schema')
GROUP BY l.database, l.table
ORDER BY bytes_a_week DESC, table
LIMIT 20";

/// How a server's own tables are told that are always there.
const ALWAYS: &str = "look at the server's log";

pub(super) async fn tables(asked: &Asked<'_>) -> Result<Seen<Vec<Table>>> {
    asked.rows(PARTS, TABLES, ALWAYS).await
}

pub(super) async fn partitions(asked: &Asked<'_>) -> Result<Seen<Vec<Partition>>> {
    asked.rows(PARTS, PARTITIONS, ALWAYS).await
}

pub(super) async fn merging(asked: &Asked<'_>) -> Result<Seen<Vec<Merging>>> {
    asked.rows("system.merges", MERGING, ALWAYS).await
}

pub(super) async fn merges(asked: &Asked<'_>) -> Result<Seen<Vec<Merges>>> {
    asked.rows(LOG, MERGES, SWITCHED_ON).await
}

pub(super) async fn growth(asked: &Asked<'_>) -> Result<Seen<Vec<Growth>>> {
    asked.rows(LOG, GROWTH, SWITCHED_ON).await
}
