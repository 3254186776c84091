//! ClickHouse rows taken back whole: what was inserted since a moment lies in parts of its own,
//! in whichever tables views have put it, as long as nothing is merged meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use clickhouse::sql::Identifier;
use clickhouse::{Client, Row};
use serde::Deserialize;
use verdict_oracle::Delivery;
use verdict_store::fault::Doing;
use verdict_store::{Error, Fault};

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Deserialize)]
struct Part {
    table: String,
    name: String,
}

/// The parts that databases had when something was first delivered to them that is not taken
/// back yet, by the databases' names.
static HELD: LazyLock<Mutex<HashMap<String, BTreeSet<Part>>>> = LazyLock::new(Mutex::default);

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

/// Notes the parts that a database has, unless it is held already. Nothing is merged from here
/// on, until what comes is taken back.
///
/// # Errors
/// When ClickHouse refuses, or is away.
pub async fn hold(client: &Client) -> Result<(), Error> {
    let database = database(client).await?;
    if held().contains_key(&database) {
        return Ok(());
    }
    merges(client, "STOP").await?;
    let parts = parts(client).await?;
    held().insert(database, parts);
    Ok(())
}

/// Drops every part that came since a database is held, and lets merges go on.
///
/// # Errors
/// [`Error::NotRenewed`] when a part is gone that was there; otherwise when ClickHouse refuses, or
/// is away.
pub async fn take_back(client: &Client) -> Result<(), Error> {
    let database = database(client).await?;
    let Some(before) = held().remove(&database) else {
        return Ok(());
    };
    let now = parts(client).await?;
    for Part { table, name } in now.difference(&before) {
        let dropped = client
            .query("ALTER TABLE ? DROP PART ?")
            .bind(Identifier(table))
            .bind(name)
            .execute()
            .await;
        dropped.doing("take rows back from ClickHouse")?;
    }
    merges(client, "START").await?;
    match before.difference(&now).next() {
        Some(Part { table, name }) => Err(Error::NotRenewed(format!(
            "part {name} of {table} is gone"
        ))),
        None => Ok(()),
    }
}

/// Leaves what came where it is, since the database is made anew.
///
/// # Errors
/// When ClickHouse refuses, or is away.
pub async fn let_go(client: &Client) -> Result<(), Error> {
    let database = database(client).await?;
    held().remove(&database);
    merges(client, "START").await
}

fn held() -> std::sync::MutexGuard<'static, HashMap<String, BTreeSet<Part>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn database(client: &Client) -> Result<String, Error> {
    let name = client.query("SELECT currentDatabase()").fetch_one().await;
    name.doing("see which database it is")
}

async fn parts(client: &Client) -> Result<BTreeSet<Part>, Error> {
    let parts = client
        .query(
            // A view that is renewed as a whole has another hidden table each time.
            "SELECT table, name FROM system.parts
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

async fn merges(client: &Client, what: &str) -> Result<(), Error> {
    let tables: Vec<String> = client
        .query(
            "SELECT name FROM system.tables
            WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
        )
        .fetch_all()
        .await
        .doing("list the tables that are merged")?;
    for table in tables {
        let statement = format!("SYSTEM {what} MERGES ?");
        let told = client.query(&statement).bind(Identifier(&table));
        told.execute()
            .await
            .doing("have ClickHouse merge nothing for a while")?;
    }
    Ok(())
}
