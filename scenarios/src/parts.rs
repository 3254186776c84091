//! ClickHouse rows taken back whole: what was inserted since a moment lies in parts of its own,
//! in whichever tables views have put it, as long as nothing is merged meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::sql::Identifier;
use clickhouse::{Client, Row};
use serde::Deserialize;
use verdict_oracle::Delivery;
use verdict_store::fault::Doing;
use verdict_store::{Error, Fault};

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Deserialize)]
struct Part {
    database: String,
    table: String,
    name: String,
}

/// A table that may be merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Deserialize)]
struct Merging {
    database: String,
    name: String,
    id: String,
}

/// How long merges that are told to stop may go on: they look after every block whether they are.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is held, of databases by their names.
static HELD: LazyLock<Mutex<Held>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Held {
    /// The parts that a database had when something was first delivered to it that is not taken
    /// back yet.
    parts: HashMap<String, BTreeSet<Part>>,
    /// Tables that are merged no more.
    stopped: BTreeSet<Merging>,
}

/// Delivers versions, until they are [taken back](take_back). One that is refused takes the
/// others back.
///
/// # Errors
/// The variant's, when ClickHouse refuses a version; otherwise the harness's.
pub async fn deliver(client: &Client, deliveries: &[Delivery]) -> Result<(), Fault> {
    hold(client).await?;
    for delivery in deliveries {
        if let Err(refused) = delivery.deliver(client).await {
            take_back(client).await?;
            return Err(refused);
        }
    }
    Ok(())
}

/// Notes the parts that a database has, unless it is held already. Its tables are merged no more
/// from here on, until it is [let go](let_go).
///
/// # Errors
/// When ClickHouse refuses, or is away.
pub async fn hold(client: &Client) -> Result<(), Error> {
    for table in tables(client).await? {
        if !held().stopped.contains(&table) {
            merges(client, "STOP", &table).await?;
            held().stopped.insert(table);
        }
    }
    at_rest(client, PATIENCE).await?;
    let parts = parts(client).await?;
    if let Some(first) = parts.first() {
        let database = first.database.clone();
        held().parts.entry(database).or_insert(parts);
    }
    Ok(())
}

/// Waits for merges of a client's database that were running when they were stopped: one may
/// still come to its end.
///
/// # Errors
/// [`Error::StillMerging`] when one is not done in time; otherwise when ClickHouse refuses, or is
/// away.
pub async fn at_rest(client: &Client, patience: Duration) -> Result<(), Error> {
    const LOOK: Duration = Duration::from_millis(10);
    let running = "SELECT DISTINCT table FROM system.merges
        WHERE database = currentDatabase()
        ORDER BY table";
    let started = Instant::now();
    loop {
        let tables = client.query(running).fetch_all::<String>().await;
        let tables = tables.doing("see what is merged")?;
        if tables.is_empty() {
            return Ok(());
        }
        let waited = started.elapsed();
        if waited > patience {
            let tables = tables.join(", ");
            return Err(Error::StillMerging { tables, waited });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Drops every part that came since a database is held.
///
/// # Errors
/// [`Error::NotRenewed`] when a part is gone that was there; otherwise when ClickHouse refuses, or
/// is away.
pub async fn take_back(client: &Client) -> Result<(), Error> {
    let now = parts(client).await?;
    let before = now
        .first()
        .and_then(|part| held().parts.remove(&part.database));
    let Some(before) = before else {
        return Ok(());
    };
    for Part { table, name, .. } in now.difference(&before) {
        let dropped = client
            .query("ALTER TABLE ? DROP PART ?")
            .bind(Identifier(table))
            .bind(name)
            .execute()
            .await;
        dropped.doing("take rows back from ClickHouse")?;
    }
    match before.difference(&now).next() {
        Some(Part { table, name, .. }) => {
            Err(Error::NotRenewed(format!("part {name} of {table} is gone")))
        }
        None => Ok(()),
    }
}

/// Leaves what came where it is, and lets merges go on.
///
/// # Errors
/// When ClickHouse refuses, or is away.
pub async fn let_go(client: &Client) -> Result<(), Error> {
    for table in tables(client).await? {
        held().parts.remove(&table.database);
        if held().stopped.remove(&table) {
            merges(client, "START", &table).await?;
        }
    }
    Ok(())
}

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn parts(client: &Client) -> Result<BTreeSet<Part>, Error> {
    let parts = client
        .query(
            // A view that is renewed as a whole has another hidden table each time.
            "SELECT database, table, name FROM system.parts
            WHERE database = currentDatabase()
              AND active
              AND table NOT IN (
                  SELECT concat('.inner_id.', toString(uuid))
                  FROM system.tables
                  WHERE database = currentDatabase()
                    AND engine = 'MaterializedView'
                    AND position(create_table_query, ' REFRESH ') > 0
              )",
        )
        .fetch_all()
        .await
        .doing("list the parts of tables")?;
    Ok(parts.into_iter().collect())
}

async fn tables(client: &Client) -> Result<Vec<Merging>, Error> {
    client
        .query(
            "SELECT database, name, toString(uuid) AS id FROM system.tables
            WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
        )
        .fetch_all()
        .await
        .doing("list the tables that are merged")
}

async fn merges(client: &Client, what: &str, table: &Merging) -> Result<(), Error> {
    let statement = format!("SYSTEM {what} MERGES ?");
    let told = client.query(&statement).bind(Identifier(&table.name));
    told.execute()
        .await
        .doing("have ClickHouse merge nothing for a while")
}
