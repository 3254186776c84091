//! What is as old as it may be still counts, and counts no more a second later.

use verdict_baseline::feed_tables::read;
use verdict_baseline::schema::clickhouse_clock;
use verdict_optimized::feed_job;
use verdict_oracle::feed_tables::{Asked, borders, hold};
use verdict_oracle::{Difference, Oracle};
use verdict_store::{Fault, Store};

use crate::error::Result as Outcome;
use crate::tally::Tally;

/// Runs the job by clocks at which something counts for the last time and a second after them, and
/// asks those to whom it makes a difference.
pub(super) async fn crossed(store: &Store, oracle: &Oracle, tally: &mut Tally) -> Outcome<()> {
    let client = &store.clickhouse;
    for (source, asked) in borders(oracle) {
        for ahead in [asked.ahead, asked.ahead + 1] {
            let asked = Asked { ahead, ..asked };
            feed_job::refresh_at(client, &clickhouse_clock(ahead))
                .await
                .map_err(Fault::from)?;
            let answer = read(client, source, &asked.request).await;
            let held = match answer.map_err(Fault::from) {
                Ok(answer) => hold(oracle, source, &asked, &answer),
                Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
                Err(Fault::Harness(error)) => return Err(error.into()),
            };
            tally.record(format_args!("{asked:?} at a border"), held);
        }
    }
    Ok(())
}
