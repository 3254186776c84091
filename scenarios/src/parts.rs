//! ClickHouse rows taken back whole: what was inserted since a moment lies in parts of its own,
//! in whichever tables views have put it, as long as nothing is merged meanwhile.

use std::collections::BTreeSet;

use clickhouse::{Client, Row};
use serde::Deserialize;
use verdict_engines::quote;
use verdict_store::Error;
use verdict_store::fault::Doing;

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Deserialize)]
struct Part {
    table: String,
    name: String,
}

/// The parts that the tables of a database had at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Parts(BTreeSet<Part>);

impl Parts {
    /// The parts of now. Nothing is merged from here on, until they are [gone back
    /// to](Self::go_back).
    ///
    /// # Errors
    /// When ClickHouse refuses, or is away.
    pub async fn hold(client: &Client) -> Result<Self, Error> {
        for table in tables(client).await? {
            merges(client, "STOP", &table).await?;
        }
        parts(client).await.map(Self)
    }

    /// Drops every part that came since, and lets merges go on.
    ///
    /// # Errors
    /// [`Error::NotRenewed`] when a part is gone that was there; otherwise when ClickHouse
    /// refuses, or is away.
    pub async fn go_back(&self, client: &Client) -> Result<(), Error> {
        let now = parts(client).await?;
        for Part { table, name } in now.difference(&self.0) {
            let statement = format!(
                "ALTER TABLE {} DROP PART {}",
                quote::clickhouse(table),
                quote::clickhouse_text(name)
            );
            let dropped = client.query(&statement).execute().await;
            dropped.doing("take rows back from ClickHouse")?;
        }
        for table in tables(client).await? {
            merges(client, "START", &table).await?;
        }
        match self.0.difference(&now).next() {
            Some(Part { table, name }) => Err(Error::NotRenewed(format!(
                "part {name} of {table} is gone"
            ))),
            None => Ok(()),
        }
    }
}

async fn tables(client: &Client) -> Result<Vec<String>, Error> {
    client
        .query(
            "SELECT name FROM system.tables
            WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
        )
        .fetch_all()
        .await
        .doing("list the tables that rows are taken back from")
}

async fn parts(client: &Client) -> Result<BTreeSet<Part>, Error> {
    let parts = client
        .query("SELECT table, name FROM system.parts WHERE database = currentDatabase() AND active")
        .fetch_all()
        .await
        .doing("list the parts of tables")?;
    Ok(parts.into_iter().collect())
}

async fn merges(client: &Client, what: &str, table: &str) -> Result<(), Error> {
    let statement = format!("SYSTEM {what} MERGES {}", quote::clickhouse(table));
    let told = client.query(&statement).execute().await;
    told.doing("have ClickHouse merge nothing for a while")
}
