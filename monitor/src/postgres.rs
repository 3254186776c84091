//! What PostgreSQL tells of itself, from version 15 on.

mod sessions;
pub mod statements;
pub mod tables;

use std::time::Duration;

use serde::Serialize;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, FromRow, PgConnection, query_as};
use tokio::time::timeout;

pub use self::sessions::{Connections, SlowLog, Wait};
pub use self::statements::{Listed, Statement, Statements};
pub use self::tables::{Cache, Index, Scanned, Tables};

use crate::{Error, Result, Seen};

/// How long it may take to be let in. A statement is given up as soon.
const PATIENCE: Duration = Duration::from_secs(10);

/// The oldest version whose views have the columns that are read.
const OLDEST: i32 = 150_000;

/// What a PostgreSQL tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Postgres {
    /// Its version.
    pub version: String,
    /// The database that is read.
    pub database: String,
    /// Seconds since it was started.
    pub up_seconds: f64,
    /// The statements it spends its time on.
    pub statements: Seen<Statements>,
    /// The log of slow statements.
    pub slow_log: Seen<SlowLog>,
    /// Pages found in its own cache.
    pub cache: Seen<Cache>,
    /// How tables and indexes are read.
    pub tables: Seen<Tables>,
    /// Connections against what there can be.
    pub connections: Seen<Connections>,
    /// What sessions at work waited for, in a few looks.
    pub waits: Seen<Vec<Wait>>,
}

/// What has to be known before anything else is asked.
#[derive(Debug, FromRow)]
pub(crate) struct Server {
    version: String,
    number: i32,
    database: String,
    role: String,
    reads_all: bool,
    up_seconds: f64,
    /// The schema of pg_stat_statements, where this database has it.
    statements_in: Option<String>,
    /// Whether the user may use that schema.
    statements_usable: Option<bool>,
    /// The libraries that it was started with, for who may know.
    preloaded: Option<String>,
}

const SERVER: &str = "
SELECT /* verdict monitor */
    CURRENT_SETTING('server_version') AS version,
    CURRENT_SETTING('server_version_num')::int AS number,
    CURRENT_DATABASE()::text AS database,
    QUOTE_IDENT(CURRENT_USER) AS role,
    PG_HAS_ROLE('pg_read_all_stats', 'USAGE') AS reads_all,
    EXTRACT(EPOCH FROM NOW() - PG_POSTMASTER_START_TIME())::float8 AS up_seconds,
    (
        SELECT QUOTE_IDENT(nspname)
        FROM pg_extension
        JOIN pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'pg_stat_statements'
    ) AS statements_in,
    (
        SELECT HAS_SCHEMA_PRIVILEGE(extnamespace, 'USAGE')
        FROM pg_extension
        WHERE extname = 'pg_stat_statements'
    ) AS statements_usable,
    (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS preloaded";

/// A session that can write nothing, in which no statement takes long.
///
/// # Errors
/// When the server cannot be reached, or lets the user not in.
pub async fn connect(server: &PgConnectOptions) -> Result<PgConnection> {
    let patience = format!("{}s", PATIENCE.as_secs());
    let options = server.clone().application_name("verdict monitor").options([
        ("default_transaction_read_only", "on"),
        ("statement_timeout", patience.as_str()),
        ("lock_timeout", "1s"),
    ]);
    match timeout(PATIENCE, options.connect()).await {
        Ok(connected) => connected.map_err(not_let_in),
        Err(_) => Err(unreachable(format!("no answer within {patience}"))),
    }
}

/// Reads what a PostgreSQL tells.
///
/// # Errors
/// When it goes away meanwhile, or is too old.
pub async fn read(session: &mut PgConnection) -> Result<Postgres> {
    let server: Server = query_as(SERVER)
        .fetch_one(&mut *session)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    if server.number < OLDEST {
        return Err(Error::TooOld {
            found: server.version,
        });
    }
    Ok(Postgres {
        statements: statements::read(session, &server).await?,
        slow_log: sessions::slow_log(session).await?,
        cache: tables::cache(session).await?,
        tables: tables::read(session).await?,
        connections: sessions::connections(session, &server).await?,
        waits: sessions::waits(session, &server).await?,
        version: server.version,
        database: server.database,
        up_seconds: server.up_seconds,
    })
}

impl Server {
    /// The command by which the user is told of other users' statements and sessions.
    fn grant(&self) -> String {
        format!("GRANT pg_monitor TO {}", self.role)
    }
}

fn unreachable(words: impl Into<String>) -> Error {
    Error::Unreachable {
        server: "PostgreSQL",
        words: words.into(),
    }
}

/// Parts a server that is not there from one that lets this user not in.
fn not_let_in(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|refused| refused.code());
    match code.as_deref() {
        // No such user or password; no right to connect.
        Some("28000" | "28P01" | "42501") => Error::Forbidden {
            server: "PostgreSQL",
            words: error.to_string(),
        },
        _ => unreachable(error.to_string()),
    }
}

/// What was asked, or why it was not answered; a server that is gone is an error.
fn seen<T>(asked: sqlx::Result<T>, what: &str, remedy: impl Into<String>) -> Result<Seen<T>> {
    match asked {
        Ok(told) => Ok(Seen::Told(told)),
        Err(sqlx::Error::Database(refused))
            if !refused
                .code()
                .is_some_and(|code| code.starts_with("57P") || code.starts_with("58")) =>
        {
            Ok(Seen::without(
                format!("{what}: {}", refused.message()),
                remedy,
            ))
        }
        Err(error) => Err(unreachable(error.to_string())),
    }
}
