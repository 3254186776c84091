//! The audit's tables for item 4, and the ways to refresh them that it names or implies.
//!
//! It names two for the tables that it wants made from events: to drop and create nightly, and
//! to rely on the engine that replaces rows, with OPTIMIZE now and then. Its partitions by month
//! imply a third, and TRUNCATE and DELETE are what is left to a job that inserts. What all of
//! them insert is what the optimized job computes, so that they differ by the refresh alone.

use clickhouse::Client;
use verdict_baseline::Result;
use verdict_baseline::feed_tables::{SOURCES, Source};
use verdict_baseline::schema::CLICKHOUSE_CLOCK;
use verdict_store::{Change, Engine, Job, Step};

use crate::feed_job::Run;
use crate::feed_tables::{DOWN, TABLES};

/// A way to refresh the audit's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Drop a table, create it, insert.
    Drop,
    /// Insert, and let the engine replace what is there, with OPTIMIZE.
    Optimize,
    /// Empty a table, insert.
    Truncate,
    /// Insert, then delete what is older.
    Delete,
    /// Fill a table beside it, and replace partition after partition.
    Partition,
}

/// Every way, by the name of its variant.
pub const WAYS: [(&str, Way); 5] = [
    ("drop", Way::Drop),
    ("optimize", Way::Optimize),
    ("truncate", Way::Truncate),
    ("delete", Way::Delete),
    ("partition", Way::Partition),
];

const FOLLOWEES: &str = include_str!("../../migrations/feed-tables/proposed-followees.sql");
const TRENDING: &str = include_str!("../../migrations/feed-tables/proposed-trending.sql");
const AFFINITY: &str = include_str!("../../migrations/feed-tables/proposed-affinity.sql");

/// The tables as the audit writes them, filled once; whichever way they are refreshed later.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Script(Engine::ClickHouse, FOLLOWEES),
        Step::Script(Engine::ClickHouse, TRENDING),
        Step::Script(Engine::ClickHouse, AFFINITY),
        Step::Job(Job {
            what: "fill the audit's tables",
            run: |store| {
                Box::pin(async move {
                    Ok(refresh(&store.clickhouse, Way::Optimize, CLICKHOUSE_CLOCK).await?)
                })
            },
        }),
    ],
    &[DOWN],
    TABLES,
);

/// Refreshes the three tables, one after the other.
pub async fn refresh(client: &Client, way: Way, clock: &str) -> Result<()> {
    let run = Run::begin(client, clock).await?;
    let mut refreshed = Ok(());
    for source in SOURCES {
        refreshed = refresh_one(client, &run, way, source, clock).await;
        if refreshed.is_err() {
            break;
        }
    }
    run.end().await?;
    refreshed
}

async fn refresh_one(
    client: &Client,
    run: &Run<'_>,
    way: Way,
    source: Source,
    clock: &str,
) -> Result<()> {
    let table = source.table();
    let execute = async |statement: String| client.query(&statement).execute().await;
    match way {
        Way::Drop => {
            execute(format!("DROP TABLE IF EXISTS {table} SYNC")).await?;
            execute(create(source).to_owned()).await?;
            run.fill(source, table).await
        }
        Way::Optimize => {
            run.fill(source, table).await?;
            Ok(execute(format!("OPTIMIZE TABLE {table} FINAL")).await?)
        }
        Way::Truncate => {
            execute(format!("TRUNCATE TABLE {table}")).await?;
            run.fill(source, table).await
        }
        Way::Delete => {
            run.fill(source, table).await?;
            Ok(execute(format!("DELETE FROM {table} WHERE updated_at < {clock}")).await?)
        }
        Way::Partition => {
            let staging = run.like(table).await?;
            run.fill(source, &staging).await?;
            let before = partitions(client, table).await?;
            let after = partitions(client, &staging).await?;
            for partition in &after {
                let from = format!("REPLACE PARTITION ID '{partition}' FROM {staging}");
                execute(format!("ALTER TABLE {table} {from}")).await?;
            }
            for gone in before.iter().filter(|partition| !after.contains(partition)) {
                execute(format!("ALTER TABLE {table} DROP PARTITION ID '{gone}'")).await?;
            }
            Ok(())
        }
    }
}

const fn create(source: Source) -> &'static str {
    match source {
        Source::Followees => FOLLOWEES,
        Source::Trending => TRENDING,
        Source::Affinity => AFFINITY,
    }
}

async fn partitions(client: &Client, table: &str) -> Result<Vec<String>> {
    Ok(client
        .query(
            "SELECT DISTINCT partition_id
            FROM system.parts
            WHERE active
              AND database = currentDatabase()
              AND table = ?
            ORDER BY partition_id",
        )
        .bind(table)
        .fetch_all()
        .await?)
}
