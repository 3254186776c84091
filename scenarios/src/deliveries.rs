//! What one more version costs that a change feed brings to ClickHouse, on either side.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::quantile::median;
use verdict_audit::{At, Unit};
use verdict_oracle::Delivery;
use verdict_oracle::events::PostFacts;

use crate::error::Result;
use crate::parts;
use crate::session::{ROLES, Role, Session};

/// Deliveries of each kind; the median is told.
const EACH: usize = 3;

/// One that takes longer is delivered once.
const SLOW: Duration = Duration::from_secs(1);

/// Rows and bytes written, and microseconds.
type Cost = [f64; 3];

/// The price of a version of a like, of a comment and of a post, today and on the trial side.
/// What was delivered is taken back.
pub(crate) async fn price(session: &Session<'_>) -> Result<Vec<Price>> {
    let [baseline, variant] = [
        costs(session, ROLES[0]).await?,
        costs(session, ROLES[1]).await?,
    ];
    let mut prices = Vec::new();
    for (table, today) in baseline {
        let Some(changed) = variant.get(table) else {
            continue;
        };
        let table = table.to_owned();
        let whats = [
            (
                PriceOf::RowsPerInsert {
                    table: table.clone(),
                },
                Unit::Count,
            ),
            (
                PriceOf::BytesPerInsert {
                    table: table.clone(),
                },
                Unit::Bytes,
            ),
            (PriceOf::TimePerInsert { table }, Unit::Microseconds),
        ];
        for (place, (what, unit)) in whats.into_iter().enumerate() {
            prices.push(Price {
                what,
                baseline: today[place],
                variant: changed[place],
                unit,
            });
        }
    }
    Ok(prices)
}

async fn costs(session: &Session<'_>, role: Role) -> Result<BTreeMap<&'static str, Cost>> {
    let line = session.line(role, At::rung(0))?;
    let store = session
        .connect(role, Some(&line), |mut connect| {
            // Without it a summary is sent before the views behind an INSERT are done.
            let wait = ("wait_end_of_query", "1".to_owned());
            connect.clickhouse.push(wait);
            connect
        })
        .await?;
    let side = session.store_of(role);
    parts::hold(&side.clickhouse).await?;
    let mut costs: BTreeMap<&'static str, Vec<Cost>> = BTreeMap::new();
    let mut outcome = Ok(());
    let mut slow = false;
    for delivery in deliveries(session) {
        if slow && costs.contains_key(delivery.table().name) {
            break;
        }
        let before = line.totals().clickhouse.summaries;
        let started = Instant::now();
        outcome = delivery.deliver(&store.clickhouse).await;
        if outcome.is_err() {
            break;
        }
        let took = started.elapsed();
        slow |= took > SLOW;
        let after = line.totals().clickhouse.summaries;
        costs.entry(delivery.table().name).or_default().push([
            (after.written_rows - before.written_rows) as f64,
            (after.written_bytes - before.written_bytes) as f64,
            took.as_micros() as f64,
        ]);
    }
    parts::take_back(&side.clickhouse).await?;
    store.close().await;
    outcome?;
    Ok(costs
        .into_iter()
        .map(|(table, costs)| (table, typical(&costs)))
        .collect())
}

/// Of each figure by itself.
fn typical(costs: &[Cost]) -> Cost {
    std::array::from_fn(|place| {
        let values = costs.iter().map(|cost| cost[place]);
        median(values.collect()).unwrap_or_default()
    })
}

/// A post of a new author, a like and a comment on it, a few times.
fn deliveries(session: &Session<'_>) -> Vec<Delivery> {
    let (world, oracle) = (session.world(), session.oracle());
    let mut random = session.random("deliveries");
    let at = world.clock().timestamp() as u32 - 60;
    let mut nobody = || oracle.nobody(&mut random);
    let each = (0..EACH).flat_map(|_| {
        let (user, post, comment) = (nobody(), nobody(), nobody());
        let facts = PostFacts {
            author: nobody(),
            created_at: at,
            deleted: false,
        };
        [
            Delivery::post(world, post, facts),
            Delivery::like(world, user, post, at),
            Delivery::comment(world, comment, (user, post), at),
        ]
    });
    each.collect()
}
