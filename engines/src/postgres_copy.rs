//! Copies of the world inside PostgreSQL.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

use crate::{Error, quote};

/// A connection from which databases are made and dropped.
pub(crate) async fn admin(postgres: &PgConnectOptions) -> Result<PgConnection, Error> {
    postgres
        .connect()
        .await
        .map_err(Error::refused("postgres", "let Verdict in"))
}

/// Runs one statement of Verdict's own making.
pub(crate) async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), Error> {
    let what = format!("run `{statement}`");
    connection
        .execute(AssertSqlSafe(statement))
        .await
        .map(drop)
        .map_err(Error::refused("postgres", what))
}

/// Makes the database `name` a copy of `template`; an earlier one of that name is dropped.
pub(crate) async fn make(
    postgres: &PgConnectOptions,
    name: &str,
    template: &str,
) -> Result<(), Error> {
    let mut connection = admin(postgres).await?;
    execute(
        &mut connection,
        format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            quote::postgres(name)
        ),
    )
    .await?;
    // By file, for the template is large, at rest, and its WAL would be as large again.
    execute(
        &mut connection,
        format!(
            "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY",
            quote::postgres(name),
            quote::postgres(template)
        ),
    )
    .await?;
    close(connection).await
}

/// Drops the database `name` if it is there, with the sessions on it.
pub(crate) async fn drop_database(postgres: &PgConnectOptions, name: &str) -> Result<(), Error> {
    let mut connection = admin(postgres).await?;
    execute(
        &mut connection,
        format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            quote::postgres(name)
        ),
    )
    .await?;
    close(connection).await
}

/// Makes an empty database.
pub(crate) async fn create(postgres: &PgConnectOptions, name: &str) -> Result<(), Error> {
    let mut connection = admin(postgres).await?;
    execute(
        &mut connection,
        format!("CREATE DATABASE {}", quote::postgres(name)),
    )
    .await?;
    close(connection).await
}

/// Waits for the goodbye, so that no session lingers on a database that is a template next.
pub(crate) async fn close(connection: PgConnection) -> Result<(), Error> {
    connection
        .close()
        .await
        .map_err(Error::refused("postgres", "say goodbye"))
}

/// Makes the extension that counts PostgreSQL's work, in the database that is connected to,
/// and sees that it counts.
pub(crate) async fn count_work(database: &PgConnectOptions) -> Result<(), Error> {
    let mut connection = admin(database).await?;
    execute(
        &mut connection,
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements".to_owned(),
    )
    .await?;
    execute(
        &mut connection,
        "SELECT count(*) FROM pg_stat_statements".to_owned(),
    )
    .await?;
    close(connection).await
}

/// The server's version.
pub(crate) async fn version(postgres: &PgConnectOptions) -> Result<String, Error> {
    let mut connection = admin(postgres).await?;
    let version = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await;
    close(connection).await?;
    version.map_err(Error::refused("postgres", "tell its version"))
}
