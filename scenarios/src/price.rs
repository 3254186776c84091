//! At what price: what a fix adds to the store and to writes.

use std::time::Duration;

use verdict_audit::VariantName;
use verdict_audit::evidence::Price;

use crate::error::{Error, Result};
use crate::instruments::Instrument;
use crate::item::Item;
use crate::message_send::MessageSend;
use crate::session::Session;
use crate::work::count_calls;

/// The tables whose cost per write is that of sending a message.
const MESSAGE_TABLES: [&str; 2] = ["messages", "conversations"];

/// The price of a variant whose migration is applied and took `migrated` to apply.
pub async fn price(
    session: &Session<'_>,
    item: &dyn Item,
    variant: &VariantName,
    migrated: Duration,
) -> Result<Vec<Price>> {
    let mut prices = vec![Price {
        what: "time to migrate this world".to_owned(),
        baseline: 0.0,
        variant: migrated.as_secs_f64(),
        unit: "seconds".to_owned(),
    }];
    for table in item.touches() {
        prices.push(Price {
            what: format!("size of {table} with its indexes"),
            baseline: session.size(&VariantName::Baseline, table).await? as f64,
            variant: session.size(variant, table).await? as f64,
            unit: "bytes".to_owned(),
        });
    }
    // An item that writes shows its WAL in its own work.
    if item.writes().is_empty() && item.touches().iter().any(|t| MESSAGE_TABLES.contains(t)) {
        let baseline = wal_per_message(session, &VariantName::Baseline).await?;
        prices.push(Price {
            what: "WAL of a message sent as today".to_owned(),
            baseline,
            variant: wal_per_message(session, variant).await?,
            unit: "bytes per call".to_owned(),
        });
    }
    Ok(prices)
}

/// WAL bytes of today's send on a side.
async fn wal_per_message(session: &Session<'_>, side: &VariantName) -> Result<f64> {
    let today = VariantName::Baseline;
    let send = MessageSend;
    let Some(probe) = send
        .operations(session.world())
        .first()
        .and_then(|send| Some((send.name, *send.rungs.first()?)))
        .and_then(|(name, n)| send.probe(session.world(), &today, name, n))
    else {
        return Ok(0.0);
    };
    let instrument = Instrument::connect(session.options(side), false).await?;
    let counted = count_calls(&instrument, &probe, true)
        .await?
        .map_err(|source| Error::Stopped {
            item: send.id(),
            variant: today.to_string(),
            source,
        })?;
    instrument.close().await;
    Ok(counted.per_call().get("wal_bytes").copied().unwrap_or(0.0))
}
