//! What a relay has counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Running totals of a relay, over all its connections since its start. Meant for
/// differences: [`Wire::since`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wire {
    /// Round trips that a client had to wait for: how often one spoke at the start of its
    /// connection or after it had been answered. A pipelined batch is one turn, whatever the
    /// number of its statements.
    pub turns: u64,
    /// Bytes from clients to the engine, as they are on the wire (with TLS, encrypted).
    pub bytes_sent: u64,
    /// Bytes from the engine to clients.
    pub bytes_received: u64,
    /// What ClickHouse says of its queries; all zero for the other engines.
    pub summaries: Summaries,
}

/// The sums of ClickHouse's `X-ClickHouse-Summary` response headers. They are whole only for
/// queries sent with `wait_end_of_query=1`; without it, the header is sent when the first row
/// is, and counts what had been done by then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summaries {
    /// Responses that had the header: one per query.
    pub requests: u64,
    /// Rows read.
    pub read_rows: u64,
    /// Bytes read, uncompressed.
    pub read_bytes: u64,
    /// Rows written, those of materialized views included.
    pub written_rows: u64,
    /// Bytes written, uncompressed.
    pub written_bytes: u64,
    /// The peak memory of each query, in bytes, summed up.
    pub memory_bytes: u64,
    /// What the queries took, nanoseconds, by the server's own clock.
    pub elapsed_ns: u64,
}

impl Wire {
    /// What has been added since an earlier reading of the same relay.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            turns: self.turns.saturating_sub(earlier.turns),
            bytes_sent: self.bytes_sent.saturating_sub(earlier.bytes_sent),
            bytes_received: self.bytes_received.saturating_sub(earlier.bytes_received),
            summaries: self.summaries.since(earlier.summaries),
        }
    }
}

impl Summaries {
    /// What has been added since an earlier reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            read_rows: self.read_rows.saturating_sub(earlier.read_rows),
            read_bytes: self.read_bytes.saturating_sub(earlier.read_bytes),
            written_rows: self.written_rows.saturating_sub(earlier.written_rows),
            written_bytes: self.written_bytes.saturating_sub(earlier.written_bytes),
            memory_bytes: self.memory_bytes.saturating_sub(earlier.memory_bytes),
            elapsed_ns: self.elapsed_ns.saturating_sub(earlier.elapsed_ns),
        }
    }
}

/// The totals while they grow.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub turns: AtomicU64,
    pub bytes_sent: AtomicU64,
    pub bytes_received: AtomicU64,
    pub requests: AtomicU64,
    pub read_rows: AtomicU64,
    pub read_bytes: AtomicU64,
    pub written_rows: AtomicU64,
    pub written_bytes: AtomicU64,
    pub memory_bytes: AtomicU64,
    pub elapsed_ns: AtomicU64,
}

impl Counts {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn add_summary(&self, summary: Summaries) {
        Self::add(&self.requests, summary.requests);
        Self::add(&self.read_rows, summary.read_rows);
        Self::add(&self.read_bytes, summary.read_bytes);
        Self::add(&self.written_rows, summary.written_rows);
        Self::add(&self.written_bytes, summary.written_bytes);
        Self::add(&self.memory_bytes, summary.memory_bytes);
        Self::add(&self.elapsed_ns, summary.elapsed_ns);
    }

    pub(super) fn totals(&self) -> Wire {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Wire {
            turns: of(&self.turns),
            bytes_sent: of(&self.bytes_sent),
            bytes_received: of(&self.bytes_received),
            summaries: Summaries {
                requests: of(&self.requests),
                read_rows: of(&self.read_rows),
                read_bytes: of(&self.read_bytes),
                written_rows: of(&self.written_rows),
                written_bytes: of(&self.written_bytes),
                memory_bytes: of(&self.memory_bytes),
                elapsed_ns: of(&self.elapsed_ns),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_taken_field_by_field() {
        let counts = Counts::default();
        Counts::add(&counts.turns, 3);
        let earlier = counts.totals();
        Counts::add(&counts.turns, 2);
        counts.add_summary(Summaries {
            requests: 1,
            read_rows: 10,
            ..Summaries::default()
        });
        let since = counts.totals().since(earlier);
        assert_eq!((since.turns, since.bytes_sent), (2, 0));
        assert_eq!(
            (since.summaries.requests, since.summaries.read_rows),
            (1, 10)
        );
    }
}
