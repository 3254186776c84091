//! The queries that a ClickHouse spends its time on, as its own log has them.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::{Result, Seen, on_one_line};

/// What switches the log on.
const SWITCHED_ON: &str =
    "a <query_log> in the server's configuration, and log_queries = 1 for its users";

/// Queries of the last day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Queries {
    /// All of them together.
    pub all: All,
    /// Those that take most of the time, whatever one takes.
    pub by_total: Vec<Query>,
    /// Those that read most rows for each that they answer.
    pub by_rows_read: Vec<Query>,
}

/// All queries together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Row)]
pub struct All {
    /// Calls.
    pub calls: u64,
    /// Milliseconds.
    pub total_ms: f64,
    /// Rows that were read.
    pub rows_read: u64,
}

/// A query, whatever its constants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Row)]
pub struct Query {
    /// Its number.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Calls.
    pub calls: u64,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Milliseconds of the typical call.
    pub p50_ms: f64,
    /// Milliseconds that 95 of 100 calls stay below.
    pub p95_ms: f64,
    /// Milliseconds that 99 of 100 calls stay below.
    pub p99_ms: f64,
    /// Rows that it read.
    pub rows_read: u64,
    /// Rows that it answered.
    pub rows: u64,
    /// Bytes that it read, uncompressed.
    pub bytes_read: u64,
}

impl Query {
    /// Rows read for each that it answered.
    pub fn read_for_a_row(&self) -> f64 {
        self.rows_read as f64 / self.rows.max(1) as f64
    }
}

macro_rules! of_a_day {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT",
            $columns,
            "
FROM system.query_log
WHERE event_date >= today() - 1
  AND event_time >= now() - INTERVAL 1 DAY
  AND type = 'QueryFinish'
  AND is_initial_query
  AND log_comment != 'verdict monitor'",
            $rest
        )
    };
}

macro_rules! queries {
    ($rest:literal) => {
        of_a_day!(
            "
    toString(normalized_query_hash) AS id,
    substringUTF8(normalizeQuery(any(query)), 1, 8000) AS text,
    count() AS calls,
    toFloat64(sum(query_duration_ms)) AS total_ms,
    toFloat64(quantile(0.5)(query_duration_ms)) AS p50_ms,
    toFloat64(quantile(0.95)(query_duration_ms)) AS p95_ms,
    toFloat64(quantile(0.99)(query_duration_ms)) AS p99_ms,
    sum(query_log.read_rows) AS rows_read,
    sum(query_log.result_rows) AS rows,
    sum(query_log.read_bytes) AS bytes_read",
            $rest
        )
    };
}

const ALL: &str = of_a_day!(
    "
    count() AS calls,
    toFloat64(sum(query_duration_ms)) AS total_ms,
    sum(read_rows) AS rows_read",
    ""
);

const BY_TOTAL: &str = queries!(
    "
GROUP BY normalized_query_hash
ORDER BY total_ms DESC, id
LIMIT 20"
);

const BY_ROWS_READ: &str = queries!(
    "
GROUP BY normalized_query_hash
HAVING rows_read > 0
ORDER BY rows_read / greatest(rows, 1) DESC, id
LIMIT 20"
);

pub(super) async fn read(asked: &Asked<'_>) -> Result<Seen<Queries>> {
    const LOG: &str = "system.query_log";
    let all = match asked.rows::<All>(LOG, ALL, SWITCHED_ON).await? {
        Seen::Told(all) => all,
        Seen::Missing(missing) => return Ok(Seen::Missing(missing)),
    };
    let Some(all) = all.into_iter().next().filter(|all| all.calls > 0) else {
        return Ok(Seen::without(
            "no query of the last day is in system.query_log",
            SWITCHED_ON,
        ));
    };
    let mut listed = Vec::new();
    for query in [BY_TOTAL, BY_ROWS_READ] {
        match asked.rows::<Query>(LOG, query, SWITCHED_ON).await? {
            Seen::Told(mut queries) => {
                for query in &mut queries {
                    query.text = on_one_line(&query.text);
                }
                listed.push(queries);
            }
            Seen::Missing(missing) => return Ok(Seen::Missing(missing)),
        }
    }
    let by_rows_read = listed.pop().unwrap_or_default();
    let by_total = listed.pop().unwrap_or_default();
    Ok(Seen::Told(Queries {
        all,
        by_total,
        by_rows_read,
    }))
}
