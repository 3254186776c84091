//! Databases in ClickHouse, and copies of them.

use std::collections::BTreeSet;

use clickhouse::Client;

use crate::Error;

async fn execute(client: &Client, statement: String) -> Result<(), Error> {
    client
        .query(&statement)
        .execute()
        .await
        .map_err(Error::refused("clickhouse", format!("run `{statement}`")))
}

/// The server's version.
pub(crate) async fn version(client: &Client) -> Result<String, Error> {
    client
        .query("SELECT version()")
        .fetch_one()
        .await
        .map_err(Error::refused("clickhouse", "tell its version"))
}

/// The names of all databases.
pub(crate) async fn databases(client: &Client) -> Result<BTreeSet<String>, Error> {
    let names = client
        .query("SELECT name FROM system.databases")
        .fetch_all::<String>()
        .await;
    Ok(names
        .map_err(Error::refused("clickhouse", "list its databases"))?
        .into_iter()
        .collect())
}

/// Makes an empty database.
pub(crate) async fn create(client: &Client, name: &str) -> Result<(), Error> {
    execute(client, format!("CREATE DATABASE {name}")).await
}

/// Drops a database if it is there, and its files at once.
pub(crate) async fn drop_database(client: &Client, name: &str) -> Result<(), Error> {
    execute(client, format!("DROP DATABASE IF EXISTS {name} SYNC")).await
}

/// Makes the database `name` a copy of `template`. Parts are shared, as they never change.
pub(crate) async fn make(client: &Client, name: &str, template: &str) -> Result<(), Error> {
    create(client, name).await?;
    let tables = client
        .query("SELECT name, engine, create_table_query FROM system.tables WHERE database = ? ORDER BY engine LIKE '%View', name")
        .bind(template)
        .fetch_all::<(String, String, String)>()
        .await
        .map_err(Error::refused("clickhouse", "list the world's tables"))?;
    for (table, engine, definition) in tables {
        execute(
            client,
            if engine.ends_with("MergeTree") {
                format!("CREATE TABLE {name}.{table} CLONE AS {template}.{table}")
            } else {
                // The template's name has a digest in it: it occurs only where it is meant.
                definition.replace(template, name)
            },
        )
        .await?;
    }
    Ok(())
}
