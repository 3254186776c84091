//! What only the client sees: waits for a connection, time-outs, hits and misses.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use verdict_audit::Counter;
use verdict_store::client::ClientReading;
use verdict_store::{ClientCounts, Error};

use super::{Meter, Reading};

/// Reads a store's own counts.
#[derive(Debug)]
pub struct Client {
    counts: Arc<ClientCounts>,
    begun: ClientReading,
}

impl Client {
    /// A meter of a store's counts.
    pub fn new(counts: &Arc<ClientCounts>) -> Self {
        Self {
            counts: Arc::clone(counts),
            begun: ClientReading::default(),
        }
    }
}

impl Meter for Client {
    fn begin(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        self.begun = self.counts.read();
        Box::pin(std::future::ready(Ok(())))
    }

    fn end(&mut self) -> BoxFuture<'_, Result<Reading, Error>> {
        let (old, new) = (self.begun, self.counts.read());
        let counted = [
            (Counter::PoolWaits, new.waits - old.waits),
            (Counter::PoolWaitUs, new.waited_us - old.waited_us),
            (Counter::TimeOuts, new.time_outs - old.time_outs),
            (Counter::Hits, new.hits - old.hits),
            (Counter::Misses, new.misses - old.misses),
            (Counter::Overlooked, new.overlooked - old.overlooked),
        ]
        .map(|(counter, value)| (counter, value as f64));
        Box::pin(std::future::ready(Ok(counted.into())))
    }
}
