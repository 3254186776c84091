//! What is counted of the work, and what a ratio is taken of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::unit::Unit;

/// One thing that is counted around a call: by an engine of its own work, by the relay on the
/// wire, or by the client. Figures are per call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Statements that the client sent. Counted by the engine: `pg_stat_statements` where
    /// `toplevel`, `query_log` in ClickHouse. A statement is not a round trip: see
    /// [`Counter::WireTurns`].
    Statements,
    /// Statements within statements: a trigger's work. Counted by the engine,
    /// `pg_stat_statements` where not `toplevel`.
    NestedStatements,
    /// Rows that the statements returned or changed, as the engine reports them to the client.
    RowsReturned,
    /// Rows that were scanned. Counted by the engine: tuples of tables and index entries in
    /// PostgreSQL, `read_rows` in ClickHouse.
    RowsRead,
    /// Row versions that were written: inserted, updated, deleted. Counted by the engine;
    /// `written_rows` in ClickHouse.
    RowsWritten,
    /// Look-ups in indexes. Counted by the engine, `idx_scan`.
    IndexScans,
    /// Pages of 8 KiB that PostgreSQL touched, in its cache or not.
    Buffers,
    /// Bytes of write-ahead log without full-page images, which come after a checkpoint by
    /// chance on one side or the other. Counted by PostgreSQL for its backend.
    WalBytes,
    /// Full-page images in the write-ahead log: how many pages a checkpoint happened to precede.
    FullPageImages,
    /// Times the client sent and then waited. Counted on the wire, by the relay: what a slow
    /// line multiplies.
    WireTurns,
    /// Bytes both ways. Counted on the wire, by the relay.
    WireBytes,
    /// Bytes that ClickHouse read, uncompressed: its summary's `read_bytes`.
    BytesRead,
    /// Bytes that ClickHouse wrote, uncompressed: its summary's `written_bytes`, and what
    /// mutations wrote anew.
    BytesWritten,
    /// Granules that ClickHouse read: `SelectedMarks` in its `query_log`.
    MarksRead,
    /// Parts that ClickHouse read from: `SelectedParts` in its `query_log`.
    PartsRead,
    /// Most memory that a query held. Counted by ClickHouse, in its `query_log`.
    MemoryBytes,
    /// Commands that Redis ran: its `commandstats`.
    RedisCommands,
    /// Connections asked of the pool, each of which is waited for, if only until it is known to
    /// live. Counted by the client.
    PoolWaits,
    /// Time spent in those waits. Counted by the client.
    PoolWaitUs,
    /// Calls that gave up waiting for a connection. Counted by the client.
    TimeOuts,
    /// Answers that the cache had. Counted by the client.
    Hits,
    /// Answers that the cache did not have. Counted by the client.
    Misses,
    /// Of what was asked about, what an answer does not name. Counted by the client.
    Overlooked,
}

impl Counter {
    /// Every counter, in the order in which reports show them.
    pub const ALL: [Self; 23] = [
        Self::Statements,
        Self::NestedStatements,
        Self::RowsReturned,
        Self::RowsRead,
        Self::RowsWritten,
        Self::IndexScans,
        Self::Buffers,
        Self::WalBytes,
        Self::FullPageImages,
        Self::WireTurns,
        Self::WireBytes,
        Self::BytesRead,
        Self::BytesWritten,
        Self::MarksRead,
        Self::PartsRead,
        Self::MemoryBytes,
        Self::RedisCommands,
        Self::PoolWaits,
        Self::PoolWaitUs,
        Self::TimeOuts,
        Self::Hits,
        Self::Misses,
        Self::Overlooked,
    ];

    /// What its figures are given in.
    pub fn unit(self) -> Unit {
        match self {
            Self::WalBytes
            | Self::WireBytes
            | Self::BytesRead
            | Self::BytesWritten
            | Self::MemoryBytes => Unit::Bytes,
            Self::PoolWaitUs => Unit::Microseconds,
            Self::Statements
            | Self::NestedStatements
            | Self::RowsReturned
            | Self::RowsRead
            | Self::RowsWritten
            | Self::IndexScans
            | Self::Buffers
            | Self::FullPageImages
            | Self::WireTurns
            | Self::MarksRead
            | Self::PartsRead
            | Self::RedisCommands
            | Self::PoolWaits
            | Self::TimeOuts
            | Self::Hits
            | Self::Misses
            | Self::Overlooked => Unit::Count,
        }
    }

    /// Its name in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Statements => "statements",
            Self::NestedStatements => "nested_statements",
            Self::RowsReturned => "rows_returned",
            Self::RowsRead => "rows_read",
            Self::RowsWritten => "rows_written",
            Self::IndexScans => "index_scans",
            Self::Buffers => "buffers",
            Self::WalBytes => "wal_bytes",
            Self::FullPageImages => "full_page_images",
            Self::WireTurns => "wire_turns",
            Self::WireBytes => "wire_bytes",
            Self::BytesRead => "bytes_read",
            Self::BytesWritten => "bytes_written",
            Self::MarksRead => "marks_read",
            Self::PartsRead => "parts_read",
            Self::MemoryBytes => "memory_bytes",
            Self::RedisCommands => "redis_commands",
            Self::PoolWaits => "pool_waits",
            Self::PoolWaitUs => "pool_wait_us",
            Self::TimeOuts => "time_outs",
            Self::Hits => "hits",
            Self::Misses => "misses",
            Self::Overlooked => "overlooked",
        }
    }

    /// Its name in prose, such as `rows read`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Statements => "statements",
            Self::NestedStatements => "nested statements",
            Self::RowsReturned => "rows returned",
            Self::RowsRead => "rows read",
            Self::RowsWritten => "rows written",
            Self::IndexScans => "look-ups in indexes",
            Self::Buffers => "buffers",
            Self::WalBytes => "WAL",
            Self::FullPageImages => "full-page images",
            Self::WireTurns => "turns on the wire",
            Self::WireBytes => "bytes on the wire",
            Self::BytesRead => "bytes read",
            Self::BytesWritten => "bytes written",
            Self::MarksRead => "marks read",
            Self::PartsRead => "parts read",
            Self::MemoryBytes => "memory",
            Self::RedisCommands => "Redis commands",
            Self::PoolWaits => "waits for a connection",
            Self::PoolWaitUs => "time waited for a connection",
            Self::TimeOuts => "time-outs",
            Self::Hits => "cache hits",
            Self::Misses => "cache misses",
            Self::Overlooked => "findings overlooked",
        }
    }
}

/// What a promised ratio is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Quantity {
    /// The caller's time for a call: a ratio of medians with an interval.
    Time,
    /// The 95th percentile of that time, with an interval.
    P95,
    /// A counter, exact.
    Counter(Counter),
}

/// A word that is neither `time`, `p95` nor a counter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no quantity: write time, p95, or a counter such as rows_read")]
pub struct QuantityError(String);

impl Quantity {
    /// Its name in prose, such as `time` or `rows read`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::P95 => "p95",
            Self::Counter(counter) => counter.words(),
        }
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(word: &str) -> Result<Self, QuantityError> {
        match word {
            "time" => Ok(Self::Time),
            "p95" => Ok(Self::P95),
            _ => Counter::ALL
                .into_iter()
                .find(|counter| counter.as_str() == word)
                .map(Self::Counter)
                .ok_or_else(|| QuantityError(word.to_owned())),
        }
    }
}

impl TryFrom<String> for Quantity {
    type Error = QuantityError;

    fn try_from(word: String) -> Result<Self, QuantityError> {
        word.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Time => "time",
            Self::P95 => "p95",
            Self::Counter(counter) => counter.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        of: Quantity,
        counter: Counter,
    }

    #[test]
    fn every_counter_has_one_name_in_text_and_in_results() {
        for counter in Counter::ALL {
            let holder = Holder {
                of: Quantity::Counter(counter),
                counter,
            };
            let text = toml::to_string(&holder).unwrap();
            assert_eq!(
                text,
                format!("of = \"{counter}\"\ncounter = \"{counter}\"\n")
            );
            assert_eq!(toml::from_str::<Holder>(&text).unwrap(), holder);
        }
        let sorted = Counter::ALL.is_sorted();
        assert!(sorted, "reports show counters in the order of the enum");
    }

    #[test]
    fn a_word_that_is_no_quantity_is_refused() {
        assert_eq!("p95".parse(), Ok(Quantity::P95));
        assert_eq!("time".parse(), Ok(Quantity::Time));
        let error = "round_trips".parse::<Quantity>().unwrap_err().to_string();
        assert!(error.contains("rows_read"), "{error}");
    }
}
