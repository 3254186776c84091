//! What ClickHouse tells of itself.

mod parts;
mod queries;

use std::time::Duration;

use clickhouse::error::Error as Refused;
use clickhouse::{Client, Row, RowOwned, RowRead};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

pub use self::parts::{Growth, Merges, Merging, Partition, Table};
pub use self::queries::{All, Queries, Query};

use crate::{Error, Result, Seen};

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked here is known by this.
const COMMENT: &str = "verdict monitor";

/// What a ClickHouse tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClickHouse {
    /// Its version.
    pub version: String,
    /// Seconds since it was started.
    pub up_seconds: f64,
    /// The queries of the last day that it spends its time on.
    pub queries: Seen<Queries>,
    /// Tables, the largest first.
    pub tables: Seen<Vec<Table>>,
    /// Partitions, the largest first.
    pub partitions: Seen<Vec<Partition>>,
    /// Merges that are under way.
    pub merging: Seen<Vec<Merging>>,
    /// Merges of the last day, of each table.
    pub merges: Seen<Vec<Merges>>,
    /// What was inserted in the last day and week, of each table.
    pub growth: Seen<Vec<Growth>>,
}

#[derive(Debug, Row, Deserialize)]
struct Server {
    version: String,
    up_seconds: f64,
    user: String,
}

const SERVER: &str = "
SELECT version() AS version, toFloat64(uptime()) AS up_seconds, currentUser() AS user";

/// The same server, of which nothing but reading is asked, and nothing that takes long.
pub fn read_only(server: &Client) -> Client {
    let patience = PATIENCE.as_secs().to_string();
    server
        .clone()
        .with_setting("readonly", "1")
        .with_setting("max_execution_time", patience)
        .with_setting("log_comment", COMMENT)
}

/// Reads what a ClickHouse tells.
///
/// # Errors
/// When it cannot be reached, lets the user not in, or goes away meanwhile.
pub async fn read(server: &Client) -> Result<ClickHouse> {
    let mut session = read_only(server);
    let mut told = one::<Server>(&session, SERVER).await;
    // A user who may only read may not even say so.
    if matches!(&told, Err(Refused::BadResponse(words)) if words.contains("Code: 164.")) {
        session = server.clone();
        told = one(&session, SERVER).await;
    }
    let Server {
        version,
        up_seconds,
        user,
    } = told.map_err(not_let_in)?;
    let asked = Asked {
        session: &session,
        user: &user,
    };
    Ok(ClickHouse {
        queries: queries::read(&asked).await?,
        tables: parts::tables(&asked).await?,
        partitions: parts::partitions(&asked).await?,
        merging: parts::merging(&asked).await?,
        merges: parts::merges(&asked).await?,
        growth: parts::growth(&asked).await?,
        version,
        up_seconds,
    })
}

async fn one<T>(session: &Client, query: &str) -> std::result::Result<T, Refused>
where
    T: RowOwned + RowRead,
{
    let asked = session.query(query).fetch_one::<T>();
    timeout(PATIENCE, asked)
        .await
        .unwrap_or(Err(Refused::TimedOut))
}

/// Who asks.
struct Asked<'a> {
    session: &'a Client,
    user: &'a str,
}

impl Asked<'_> {
    /// The rows of one of ClickHouse's own tables, or why there are none.
    async fn rows<T>(&self, table: &str, query: &str, switched_on: &str) -> Result<Seen<Vec<T>>>
    where
        T: RowOwned + RowRead,
    {
        let asked = self.session.query(query).fetch_all::<T>();
        let asked = timeout(2 * PATIENCE, asked).await;
        match asked.unwrap_or(Err(Refused::TimedOut)) {
            Ok(rows) => Ok(Seen::Told(rows)),
            Err(Refused::BadResponse(words)) => Ok(self.without(table, &words, switched_on)),
            Err(Refused::TimedOut) => Ok(Seen::without(
                format!("{table} takes too long to read"),
                "shorten it by a TTL",
            )),
            Err(error) => Err(unreachable(&error)),
        }
    }

    /// Why a table is not told: it is not there, it is not this user's, or the server's own words.
    fn without<T>(&self, table: &str, words: &str, switched_on: &str) -> Seen<T> {
        if words.contains("Code: 60.") {
            return Seen::without(format!("there is no {table}"), switched_on);
        }
        if words.contains("Code: 497.") {
            return Seen::without(
                format!("{table} is not told to this user"),
                format!("GRANT SELECT ON {table} TO {}", self.user),
            );
        }
        Seen::without(format!("{table} is refused"), first_line(words))
    }
}

fn first_line(words: &str) -> &str {
    words.lines().next().unwrap_or_default()
}

fn unreachable(error: &Refused) -> Error {
    Error::Unreachable {
        server: "ClickHouse",
        words: first_line(&error.to_string()).to_owned(),
    }
}

/// Parts a server that is not there from one that lets this user not in.
fn not_let_in(error: Refused) -> Error {
    match &error {
        // No such user or password; no right to anything.
        Refused::BadResponse(words)
            if [
                "Code: 516.",
                "Code: 497.",
                "Code: 192.",
                "Code: 193.",
                "Code: 194.",
            ]
            .iter()
            .any(|code| words.contains(code)) =>
        {
            Error::Forbidden {
                server: "ClickHouse",
                words: first_line(words).to_owned(),
            }
        }
        _ => unreachable(&error),
    }
}
