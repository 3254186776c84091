//! Item 3 fixed: a table for each question, keyed for it, kept up to date by a plain view for
//! each source, and read by the newest versions: exact at once.

use std::time::Duration;

use clickhouse::Client;
use clickhouse::error::Result;
use futures_util::future::BoxFuture;
use verdict_baseline::engagement_rollup::{Affinity, AffinityRequest, Metrics, MetricsRequest};
use verdict_baseline::schema::statements;
use verdict_store::{Change, Engine, Fault, Job, Step, Store, Table};

/// The tables, the views that fill them from now on, and what was there before.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Script(
            Engine::ClickHouse,
            include_str!("../migrations/engagement-rollup/up.sql"),
        ),
        Step::Job(Job {
            what: "copy the versions that came before the views",
            run: backfill,
        }),
    ],
    &[Step::Script(
        Engine::ClickHouse,
        include_str!("../migrations/engagement-rollup/down.sql"),
    )],
    &[
        Table::clickhouse("engagement_by_user"),
        Table::clickhouse("engagement_by_post"),
        Table::clickhouse("posts_by_id"),
    ],
);

/// How often it is looked whether an INSERT is done.
const LOOK: Duration = Duration::from_millis(20);

const RUNNING: &str = "
SELECT query_id
FROM system.processes
WHERE query_kind = 'Insert'";

/// An INSERT that began before the views were there goes past them, so what was there is copied
/// when all of those are done. What comes meanwhile comes twice, which makes no difference to
/// the newest versions.
fn backfill(store: &Store) -> BoxFuture<'_, std::result::Result<(), Fault>> {
    Box::pin(async {
        let client = &store.clickhouse;
        let before: Vec<String> = client.query(RUNNING).fetch_all().await?;
        loop {
            let now: Vec<String> = client.query(RUNNING).fetch_all().await?;
            if !before.iter().any(|insert| now.contains(insert)) {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        for statement in statements(include_str!("../migrations/engagement-rollup/backfill.sql")) {
            client.query(statement).execute().await?;
        }
        Ok(())
    })
}
