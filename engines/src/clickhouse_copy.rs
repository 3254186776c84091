//! Databases in ClickHouse, and copies of them.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Client;

use crate::variables::VARIABLES;
use crate::{Error, quote};

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

/// Refuses a server of the user's whose hours and months are not UTC's: the audit's views leave
/// them to the server.
///
/// # Errors
/// [`Error::Unreachable`] with its time zone; otherwise the server's own.
pub(crate) async fn in_utc(client: &Client) -> Result<(), Error> {
    let look = client
        .query(
            "SELECT
                timezone(),
                timeZoneOffset(toDateTime(1767225600)) = 0
                    AND timeZoneOffset(toDateTime(1782864000)) = 0",
        )
        .fetch_one::<(String, bool)>()
        .await;
    match look.map_err(Error::refused("clickhouse", "tell its time zone"))? {
        (_, true) => Ok(()),
        (zone, false) => Err(Error::Unreachable {
            variable: VARIABLES[1],
            reason: format!(
                "its time zone is {zone}, and the audit's hours and months are the server's: set \
                 <timezone>UTC</timezone> in its configuration"
            ),
        }),
    }
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

/// The rows of each table of a database, by name. Where versions of a row are merged in the
/// background, those are counted that are left when all are.
pub(crate) async fn counts(client: &Client, database: &str) -> Result<Vec<(String, u64)>, Error> {
    let mut counts = Vec::new();
    for table in tables(client, database).await? {
        let last = match table.engine.strip_suffix("MergeTree") {
            None => continue,
            Some("" | "Replicated" | "Shared") => "",
            Some(_) => " FINAL",
        };
        let count = format!("SELECT count() FROM {}{last}", path(database, &table.name));
        let rows = client.query(&count).fetch_one().await;
        let refused = Error::refused("clickhouse", "count the world's rows");
        counts.push((table.name, rows.map_err(refused)?));
    }
    Ok(counts)
}

/// Makes an empty database.
pub(crate) async fn create(client: &Client, name: &str) -> Result<(), Error> {
    execute(
        client,
        format!("CREATE DATABASE {}", quote::clickhouse(name)),
    )
    .await
}

/// Drops a database if it is there, and its files at once.
pub(crate) async fn drop_database(client: &Client, name: &str) -> Result<(), Error> {
    execute(
        client,
        format!("DROP DATABASE IF EXISTS {} SYNC", quote::clickhouse(name)),
    )
    .await
}

/// Makes the database `name` a copy of `template`. Parts are shared, as they never change.
///
/// A MergeTree table, and one that keeps its rows in memory or in a log, comes with its rows;
/// what keeps none of its own (a view, a dictionary) is defined again on the copy.
pub(crate) async fn make(client: &Client, name: &str, template: &str) -> Result<(), Error> {
    create(client, name).await?;
    copy(client, name, template, |_| true).await
}

/// Makes the database `name` a part of `template`: of some tables the rows that meet a condition,
/// of all others every row.
pub(crate) async fn cut(
    client: &Client,
    name: &str,
    template: &str,
    rows: &BTreeMap<&str, String>,
) -> Result<(), Error> {
    create(client, name).await?;
    for (table, condition) in rows {
        let (to, from) = (path(name, table), path(template, table));
        execute(client, format!("CREATE TABLE {to} AS {from}")).await?;
        // Versions of one row in one block are not merged on the way in, as they were not when
        // the world was loaded.
        let fill = format!(
            "INSERT INTO {to} SELECT * FROM {from} WHERE {condition} SETTINGS optimize_on_insert = 0"
        );
        execute(client, fill).await?;
    }
    copy(client, name, template, |table| !rows.contains_key(table)).await
}

/// Gives tables of a copy back as the template has them; one that the template does not have
/// is dropped.
pub(crate) async fn renew(
    client: &Client,
    name: &str,
    template: &str,
    tables: &[&str],
) -> Result<(), Error> {
    for table in tables {
        let table = path(name, table);
        execute(client, format!("DROP TABLE IF EXISTS {table} SYNC")).await?;
    }
    copy(client, name, template, |table| tables.contains(&table)).await
}

async fn copy(
    client: &Client,
    name: &str,
    template: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let tables = tables(client, template).await?;
    let inner: BTreeSet<String> = tables
        .iter()
        .filter(|table| table.name.starts_with(INNER))
        .map(|table| table.name.clone())
        .collect();
    let (stored, mut defined): (Vec<_>, Vec<_>) = tables
        .iter()
        // The hidden table of a materialized view comes with the view.
        .filter(|table| wanted(&table.name) && !table.name.starts_with(INNER))
        .partition(|table| table.engine.ends_with("MergeTree"));
    for table in stored {
        let (to, from) = (path(name, &table.name), path(template, &table.name));
        execute(client, format!("CREATE TABLE {to} CLONE AS {from}")).await?;
    }
    // One may stand on another: those that are refused are tried again, as long as that helps.
    while !defined.is_empty() {
        let before = defined.len();
        let (mut later, mut error) = (Vec::new(), None);
        for table in defined {
            let has_inner = inner.contains(&format!("{INNER}{}", table.uuid));
            match define(client, name, template, table, has_inner).await {
                Ok(()) => {}
                Err(refusal) => {
                    later.push(table);
                    error = Some(refusal);
                }
            }
        }
        match error {
            Some(error) if later.len() == before => return Err(error),
            _ => defined = later,
        }
    }
    Ok(())
}

/// What the hidden table of a materialized view without a target is called, before its id.
const INNER: &str = ".inner_id.";

#[derive(clickhouse::Row, serde::Deserialize)]
struct Table {
    name: String,
    engine: String,
    definition: String,
    uuid: String,
}

async fn tables(client: &Client, database: &str) -> Result<Vec<Table>, Error> {
    client
        .query(
            "SELECT name, engine, create_table_query AS definition, toString(uuid) AS uuid
             FROM system.tables WHERE database = ? ORDER BY name",
        )
        .bind(database)
        .fetch_all()
        .await
        .map_err(Error::refused("clickhouse", "list the world's tables"))
}

/// Defines anew what CLONE AS does not copy, and fills what has rows.
async fn define(
    client: &Client,
    name: &str,
    template: &str,
    table: &Table,
    has_inner: bool,
) -> Result<(), Error> {
    execute(client, moved(&table.definition, template, name)).await?;
    match table.engine.as_str() {
        "MaterializedView" if has_inner => {
            // Its rows are in a hidden table, which is new, and named by the view's new id.
            let copies = tables(client, name).await?;
            let Some(copy) = copies.iter().find(|copy| copy.name == table.name) else {
                return Ok(());
            };
            let to = path(name, &format!("{INNER}{}", copy.uuid));
            let from = path(template, &format!("{INNER}{}", table.uuid));
            execute(
                client,
                format!("ALTER TABLE {to} ATTACH PARTITION ALL FROM {from}"),
            )
            .await
        }
        "Memory" | "Log" | "TinyLog" | "StripeLog" => {
            let (to, from) = (path(name, &table.name), path(template, &table.name));
            execute(client, format!("INSERT INTO {to} SELECT * FROM {from}")).await
        }
        _ => Ok(()),
    }
}

fn path(database: &str, table: &str) -> String {
    format!(
        "{}.{}",
        quote::clickhouse(database),
        quote::clickhouse(table)
    )
}

/// A definition with one database's name exchanged: where it qualifies another name, and
/// where it is a text by itself or qualifies a name in one, as in a dictionary's source and in
/// `dictGet('database.dictionary', ...)`.
fn moved(definition: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(definition.len());
    let mut rest = definition;
    while let Some(first) = rest.chars().next() {
        let length = token(rest, first);
        let (token, after) = rest.split_at(length);
        let inside = unquoted(token);
        if first == '\'' {
            match inside.strip_prefix(from) {
                Some("") => out.push_str(&quote::clickhouse_text(to)),
                Some(name) if name.starts_with('.') => {
                    out.push_str(&quote::clickhouse_text(&format!("{to}{name}")));
                }
                _ => out.push_str(token),
            }
        } else if inside == from && after.starts_with('.') {
            out.push_str(&quote::clickhouse(to));
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    out
}

/// The length in bytes of the token at the start: a quoted one, a word, or one character.
fn token(text: &str, first: char) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if matches!(first, '\'' | '"' | '`') {
        let mut escaped = false;
        for (at, c) in text.char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == first {
                return at + c.len_utf8();
            }
        }
        text.len()
    } else if is_word(first) {
        text.find(|c| !is_word(c)).unwrap_or(text.len())
    } else {
        first.len_utf8()
    }
}

/// What a quoted token stands for; any other as it is.
fn unquoted(token: &str) -> String {
    let Some(quote) = token
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))
    else {
        return token.to_owned();
    };
    let inside = token[1..].strip_suffix(quote).unwrap_or(&token[1..]);
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        plain.push(if c == '\\' {
            characters.next().unwrap_or(c)
        } else {
            c
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_moves_to_another_database_and_changes_nothing_else() {
        let moved = |definition| moved(definition, "verdict_world", "v-`x");
        assert_eq!(
            moved(
                "CREATE VIEW verdict_world.`a``b` AS SELECT verdict_world FROM `verdict_world`.t WHERE s = 'it\\'s verdict_world.t'"
            ),
            "CREATE VIEW `v-\\`x`.`a``b` AS SELECT verdict_world FROM `v-\\`x`.t WHERE s = 'it\\'s verdict_world.t'"
        );
        assert_eq!(
            moved(
                "SELECT dictGet('verdict_world.d', 'n', verdict_world2.k) SOURCE(DB 'verdict_world')"
            ),
            "SELECT dictGet('v-`x.d', 'n', verdict_world2.k) SOURCE(DB 'v-`x')"
        );
    }
}
