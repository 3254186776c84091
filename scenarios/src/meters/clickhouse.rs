//! What ClickHouse counts of its own work: rows and bytes from the summaries that pass the wire,
//! statements, marks and memory from its query_log, found by the comment that every counted
//! query carries.

use std::time::{Duration, Instant};

use clickhouse::{Client, Row};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use verdict_audit::Counter;
use verdict_engines::{Line, Summaries};
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::{Meter, Reading};

/// How late a query may be logged.
const LATE: Duration = Duration::from_secs(2);

/// `rows_written` is of an INSERT alone there: the views behind it log queries of their own,
/// while its summary includes them. What a mutation writes again is in neither: the log of parts
/// has it, under the name of the side's database or of one of its parts.
const LOG: &str = "
SELECT
    count() AS statements,
    sum(ProfileEvents['SelectedMarks']) AS marks,
    sum(ProfileEvents['SelectedParts']) AS parts,
    sum(memory_usage) AS memory,
    assumeNotNull((
        SELECT (sum(rows), sum(bytes_uncompressed))
        FROM system.part_log
        WHERE event_type = 'MutatePart'
          AND (
              database = currentDatabase()
              OR startsWith(database, concat(currentDatabase(), '_'))
          )
          AND event_date >= today() - 1
    )) AS mutated
FROM system.query_log
WHERE log_comment = ?
  AND type != 'QueryStart'
  AND is_initial_query
  AND event_date >= today() - 1";

#[derive(Debug, Clone, Copy, Default, Row, Deserialize)]
struct Logged {
    statements: u64,
    marks: u64,
    parts: u64,
    memory: u64,
    /// Rows and bytes.
    mutated: (u64, u64),
}

/// Reads the totals of all queries with one comment.
pub struct ClickHouse<'a> {
    client: Client,
    comment: String,
    line: &'a Line,
    begun: Option<(Logged, Summaries)>,
    /// Queries answered when the log was read last, and what it said: the log is not flushed
    /// for calls that had nothing to do with ClickHouse.
    known: Option<(u64, Logged)>,
}

impl<'a> ClickHouse<'a> {
    /// A meter that reads through `client`, whose own queries do not carry the comment.
    pub fn new(client: Client, comment: String, line: &'a Line) -> Self {
        Self {
            client,
            comment,
            line,
            begun: None,
            known: None,
        }
    }

    /// A query is logged a moment after it is answered, so the log is read until it has as many
    /// as the wire has seen answered.
    async fn totals(&mut self) -> Result<(Logged, Summaries), Error> {
        let wire = self.line.totals().clickhouse;
        let summed = wire.summaries;
        if wire.turns == 0 {
            return Ok((Logged::default(), summed));
        }
        if let Some((turns, logged)) = self.known
            && turns == wire.turns
        {
            return Ok((logged, summed));
        }
        let started = Instant::now();
        loop {
            let logged = self.logged().await?;
            if logged.statements >= summed.requests || started.elapsed() > LATE {
                self.known = Some((wire.turns, logged));
                return Ok((logged, summed));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn logged(&self) -> Result<Logged, Error> {
        self.client
            .query("SYSTEM FLUSH LOGS")
            .execute()
            .await
            .doing("flush the query log")?;
        self.client
            .query(LOG)
            .bind(&self.comment)
            .fetch_one()
            .await
            .doing("read the query log")
    }
}

impl Meter for ClickHouse<'_> {
    fn begin(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            self.begun = Some(self.totals().await?);
            Ok(())
        })
    }

    fn end(&mut self) -> BoxFuture<'_, Result<Reading, Error>> {
        Box::pin(async {
            let (logged, summed) = self.totals().await?;
            let Some((old, before)) = self.begun.take() else {
                return Ok(Reading::new());
            };
            let new = logged;
            Ok([
                (Counter::Statements, new.statements - old.statements),
                (Counter::MarksRead, new.marks - old.marks),
                (Counter::PartsRead, new.parts - old.parts),
                (Counter::MemoryBytes, new.memory - old.memory),
                (Counter::RowsRead, summed.read_rows - before.read_rows),
                (Counter::BytesRead, summed.read_bytes - before.read_bytes),
                (
                    Counter::RowsWritten,
                    summed.written_rows - before.written_rows + (new.mutated.0 - old.mutated.0),
                ),
                (
                    Counter::BytesWritten,
                    summed.written_bytes - before.written_bytes + (new.mutated.1 - old.mutated.1),
                ),
            ]
            .map(|(counter, value)| (counter, value as f64))
            .into())
        })
    }
}
