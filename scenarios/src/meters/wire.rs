//! What passes the wire: a statement is not a round trip, since a pool asks its connections
//! whether they live.

use futures_util::future::BoxFuture;
use verdict_audit::Counter;
use verdict_engines::Line;
use verdict_store::Error;

use super::{Meter, Reading};

/// Reads the relays of a line.
pub struct Wire<'a> {
    line: &'a Line,
    begun: (u64, u64),
}

impl<'a> Wire<'a> {
    /// A meter of all that passes a line.
    pub fn new(line: &'a Line) -> Self {
        Self {
            line,
            begun: (0, 0),
        }
    }

    /// Turns and bytes of all engines together.
    fn totals(&self) -> (u64, u64) {
        let totals = self.line.totals();
        [totals.postgres, totals.clickhouse, totals.redis]
            .iter()
            .fold((0, 0), |(turns, bytes), wire| {
                (
                    turns + wire.turns,
                    bytes + wire.bytes_sent + wire.bytes_received,
                )
            })
    }
}

impl Meter for Wire<'_> {
    fn begin(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        self.begun = self.totals();
        Box::pin(std::future::ready(Ok(())))
    }

    fn end(&mut self) -> BoxFuture<'_, Result<Reading, Error>> {
        let (turns, bytes) = self.totals();
        let counted = [
            (Counter::WireTurns, (turns - self.begun.0) as f64),
            (Counter::WireBytes, (bytes - self.begun.1) as f64),
        ];
        Box::pin(std::future::ready(Ok(counted.into())))
    }
}
