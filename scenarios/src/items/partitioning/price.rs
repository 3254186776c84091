//! What the layout of a table costs besides its migration: in how many parts it lies, and when
//! the files of what was retained no longer are gone.

use std::time::{Duration, Instant};

use clickhouse::Client;
use clickhouse::sql::Identifier;
use futures_util::future::join;
use verdict_audit::Unit;
use verdict_audit::evidence::{Price, PriceOf};
use verdict_baseline::partitioning as baseline;
use verdict_optimized::partitioning as optimized;
use verdict_oracle::partitioning as oracle;
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::{COPY, copy, forget};
use crate::deliveries;
use crate::error::Result;
use crate::session::{Depth, ROLES, Session};

/// Seconds for which ClickHouse keeps the files of parts that were replaced (`old_parts_lifetime`). By default it is
/// eight minutes, which would hide whatever else differs; it is the same on both sides.
const LIFETIME: u64 = 1;

/// How long files are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(50);

pub(super) async fn of(session: &Session<'_>) -> Result<Vec<Price>> {
    let stores = ROLES.map(|role| session.store_of(role));
    let mut parts = Vec::new();
    for store in &stores {
        let counted = parts_of(&store.clickhouse).await;
        parts.push(counted.doing("count parts")?);
    }
    let mut given_back = Vec::new();
    // ClickHouse looks for old files when it finds the time, after half a minute or so.
    if session.depth() == Depth::Full {
        let request = oracle::retention(session.world(), 1);
        let [today, changed] = &stores;
        let (today, changed) = join(
            gone_after(&today.clickhouse, true, &request),
            gone_after(&changed.clickhouse, false, &request),
        )
        .await;
        given_back = vec![today?, changed?];
    }
    let mut prices = deliveries::price(session).await?;
    if let [Some(today), Some(changed)] = given_back[..] {
        prices.push(Price {
            what: PriceOf::GivenBack { lifetime: LIFETIME },
            baseline: today.as_secs_f64(),
            variant: changed.as_secs_f64(),
            unit: Unit::Seconds,
        });
    }
    let [today, changed] = &parts[..] else {
        return Ok(prices);
    };
    for ((table, before), (_, after)) in today.iter().zip(changed) {
        prices.push(Price {
            what: PriceOf::Parts {
                table: table.clone(),
            },
            baseline: *before as f64,
            variant: *after as f64,
            unit: Unit::Count,
        });
    }
    Ok(prices)
}

/// From the order to let a month go, to the instant at which its files are gone; `None` when
/// they are still there after a minute.
async fn gone_after(
    client: &Client,
    deleted: bool,
    request: &baseline::RetentionRequest,
) -> std::result::Result<Option<Duration>, Error> {
    let gone = async {
        copy(client).await?;
        client
            .query(&format!(
                "ALTER TABLE ? MODIFY SETTING old_parts_lifetime = {LIFETIME}"
            ))
            .bind(Identifier(COPY))
            .execute()
            .await?;
        let began = Instant::now();
        if deleted {
            baseline::retention(client, COPY, request).await?;
        } else {
            optimized::retention(client, COPY, request).await?;
        }
        while replaced(client).await? > 0 {
            if began.elapsed() > PATIENCE {
                return Ok(None);
            }
            tokio::time::sleep(TICK).await;
        }
        Ok::<_, clickhouse::error::Error>(Some(began.elapsed()))
    };
    let gone = gone.await;
    forget(client)
        .await
        .doing("drop the copy that events went from")?;
    gone.doing("wait for what is old to be off the disk")
}

/// Parts of the copy that were replaced or dropped and whose files are still there.
async fn replaced(client: &Client) -> clickhouse::error::Result<u64> {
    client
        .query(
            "SELECT count() FROM system.parts
            WHERE database = currentDatabase() AND table = ? AND NOT active",
        )
        .bind(COPY)
        .fetch_one()
        .await
}

/// Active parts of each table of the change feed and of the events, by name.
async fn parts_of(client: &Client) -> clickhouse::error::Result<Vec<(String, u64)>> {
    client
        .query(
            "SELECT table, count()
            FROM system.parts
            WHERE database = currentDatabase() AND active
              AND (endsWith(table, '_cdc') OR table = 'post_events')
            GROUP BY table
            ORDER BY table",
        )
        .fetch_all()
        .await
}
