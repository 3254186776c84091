//! After the rows: keys, indexes, foreign keys, triggers, statistics, and all of it on disk.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use verdict_baseline::schema;

use crate::error::Error;

/// How long it took.
pub(crate) struct Finished {
    pub(crate) indexes: Duration,
    pub(crate) settle: Duration,
}

pub(crate) async fn finish(
    options: &PgConnectOptions,
    progress: &MultiProgress,
) -> Result<Finished, Error> {
    let started = Instant::now();
    let mut indexes: Vec<_> = schema::statements(schema::INDEXES).collect();
    // A key locks its table, indexes share theirs: keys first, so that nobody waits.
    indexes.sort_by_key(|statement| !statement.contains("PRIMARY KEY"));
    let keys: Vec<_> = schema::statements(schema::FOREIGN_KEYS).collect();
    let style = ProgressStyle::with_template("  {prefix:22} {pos:>12} of {len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new((indexes.len() + keys.len()) as u64)
        .with_style(style)
        .with_prefix("indexes and keys");
    let bar = progress.add(bar);
    side_by_side(options, indexes, &bar).await?;
    side_by_side(options, keys, &bar).await?;
    bar.finish();

    let mut connection = connect(options).await?;
    let triggers = connection.execute(sqlx::raw_sql(schema::TRIGGERS)).await;
    triggers.map_err(Error::postgres("create today's triggers"))?;
    let indexed = started.elapsed();

    let vacuumed = connection.execute("VACUUM (FREEZE, ANALYZE)").await;
    vacuumed.map_err(Error::postgres("vacuum and analyse the world"))?;
    checkpoint(&mut connection).await?;
    let closed = connection.close().await;
    closed.map_err(Error::postgres("close the loader's connection"))?;
    Ok(Finished {
        indexes: indexed,
        settle: started.elapsed() - indexed,
    })
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let connection = PgConnection::connect_with(options).await;
    connection.map_err(Error::postgres("connect to the world"))
}

/// Runs statements on two connections, each taking the next that is left.
async fn side_by_side(
    options: &PgConnectOptions,
    statements: Vec<&'static str>,
    bar: &ProgressBar,
) -> Result<(), Error> {
    let queue = Mutex::new(VecDeque::from(statements));
    let worker = async || {
        let mut connection = connect(options).await?;
        let memory = "SET maintenance_work_mem = '256MB'";
        let set = connection.execute(memory).await;
        set.map_err(Error::postgres("raise maintenance_work_mem"))?;
        loop {
            let next = queue.lock().unwrap_or_else(|e| e.into_inner()).pop_front();
            let Some(statement) = next else { break };
            let done = connection.execute(statement).await;
            done.map_err(Error::postgres(format!("run `{statement}`")))?;
            bar.inc(1);
        }
        let closed = connection.close().await;
        closed.map_err(Error::postgres("close the loader's connection"))
    };
    tokio::try_join!(worker(), worker()).map(|_| ())
}

/// So that what follows does not pay for writing the world out. Someone else's server may
/// not grant it; then its own checkpoints do.
async fn checkpoint(connection: &mut PgConnection) -> Result<(), Error> {
    let what = || Error::postgres("write a checkpoint");
    let granted = "SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')";
    let granted: bool = sqlx::query_scalar(granted)
        .fetch_one(&mut *connection)
        .await
        .map_err(what())?;
    if granted {
        connection.execute("CHECKPOINT").await.map_err(what())?;
    }
    Ok(())
}
