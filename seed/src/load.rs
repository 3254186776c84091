//! Loading: rows from the generators into both engines, then keys, indexes and triggers.

use std::fmt;
use std::time::{Duration, Instant};

use clickhouse::{Client, Compression};
use futures_util::future::BoxFuture;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use tokio::task::JoinSet;
use verdict_baseline::schema;
use verdict_engines::Engines;

use crate::batch::Batch;
use crate::error::Error;
use crate::finish::finish;
use crate::pgcopy::{HEADER, Rows, TRAILER};
use crate::pipeline::{Broken, Lane, start};
use crate::stage::Stage;
use crate::stages::stages;
use crate::tables::{Engine, Table};
use crate::world::World;

/// How one table was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLoad {
    /// `postgres` or `clickhouse`.
    pub engine: &'static str,
    /// The table.
    pub table: &'static str,
    /// Rows written.
    pub rows: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// From the first row made to the last one stored; tables that are filled together
    /// share the machine.
    pub time: Duration,
}

impl TableLoad {
    /// Rows stored a second.
    pub fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.time.as_secs_f64()
    }
}

/// How a world was loaded. Displayed, it is a table of rows and rows per second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Table by table, in the order they were filled.
    pub tables: Vec<TableLoad>,
    /// Making and storing all rows.
    pub rows: Duration,
    /// Keys, indexes, foreign keys and triggers.
    pub indexes: Duration,
    /// Vacuum, statistics and the checkpoint.
    pub settle: Duration,
}

impl Loaded {
    /// The whole of it.
    pub fn total(&self) -> Duration {
        self.rows + self.indexes + self.settle
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for load in &self.tables {
            writeln!(
                f,
                "{:10}  {:20}  {:>9} rows  {:>9.0} rows/s  {:>6.1} MB",
                load.engine,
                load.table,
                load.rows,
                load.rows_per_second(),
                load.bytes as f64 / 1e6,
            )?;
        }
        write!(
            f,
            "rows {:.1} s, indexes and keys {:.1} s, vacuum and checkpoint {:.1} s: {:.1} s in all",
            self.rows.as_secs_f64(),
            self.indexes.as_secs_f64(),
            self.settle.as_secs_f64(),
            self.total().as_secs_f64(),
        )
    }
}

/// Loads a world into the engines' databases of that purpose, which must be empty, with a
/// generator thread per processor.
///
/// # Errors
/// When an engine refuses a step. The databases are then half filled, and not usable.
pub fn load<'a>(
    world: &'a World,
    engines: &'a Engines,
    progress: &'a MultiProgress,
) -> BoxFuture<'a, Result<Loaded, Error>> {
    Box::pin(async move {
        let name = engines.world();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (postgres, clickhouse) = (engines.postgres(name), engines.clickhouse(name));
        load_into(world, &postgres, &clickhouse, threads, progress).await
    })
}

/// Loads a world into one empty database of each engine, with so many generator threads.
///
/// # Errors
/// When an engine refuses a step. The databases are then half filled, and not usable.
pub fn load_into<'a>(
    world: &'a World,
    postgres: &'a PgConnectOptions,
    clickhouse: &'a Client,
    threads: usize,
    progress: &'a MultiProgress,
) -> BoxFuture<'a, Result<Loaded, Error>> {
    Box::pin(async move {
        let started = Instant::now();
        let tables = load_rows(world, postgres, clickhouse, threads, progress).await?;
        let rows = started.elapsed();
        let finished = finish(postgres, progress).await?;
        Ok(Loaded {
            tables,
            rows,
            indexes: finished.indexes,
            settle: finished.settle,
        })
    })
}

/// The rows alone, into tables without keys or indexes: what a benchmark compares with a
/// bare COPY.
///
/// # Errors
/// As [`load_into`].
pub fn load_rows<'a>(
    world: &'a World,
    postgres: &'a PgConnectOptions,
    clickhouse: &'a Client,
    threads: usize,
    progress: &'a MultiProgress,
) -> BoxFuture<'a, Result<Vec<TableLoad>, Error>> {
    Box::pin(async move {
        // On the loopback compressing costs more than sending.
        let clickhouse = clickhouse.clone().with_compression(Compression::None);
        let stages = stages(world);
        create_tables(&stages, postgres, &clickhouse).await?;
        let mut tables = Vec::new();
        for stage in &stages {
            tables.extend(fill(stage, postgres, &clickhouse, threads, progress).await?);
        }
        Ok(tables)
    })
}

/// ClickHouse's tables and views, and those tables of PostgreSQL that stay empty; every other
/// one is created in the transaction that fills it, as COPY with FREEZE demands.
async fn create_tables(
    stages: &[Stage],
    postgres: &PgConnectOptions,
    clickhouse: &Client,
) -> Result<(), Error> {
    let views = schema::statements(schema::CLICKHOUSE_VIEWS);
    for statement in schema::statements(schema::CLICKHOUSE).chain(views) {
        let created = clickhouse.query(statement).execute().await;
        created.map_err(Error::clickhouse("create today's tables and views"))?;
    }
    let create = || Error::postgres("create today's empty tables");
    let mut connection = PgConnection::connect_with(postgres)
        .await
        .map_err(create())?;
    let filled: Vec<_> = stages.iter().flat_map(|stage| &stage.tables).collect();
    for statement in schema::statements(schema::TABLES) {
        if !filled.iter().any(|table| creates(statement, table.name)) {
            connection.execute(statement).await.map_err(create())?;
        }
    }
    connection.close().await.map_err(create())
}

fn creates(statement: &str, table: &str) -> bool {
    statement.contains(&format!("CREATE TABLE {table} ("))
}

/// Fills the tables of one stage at once.
async fn fill(
    stage: &Stage,
    postgres: &PgConnectOptions,
    clickhouse: &Client,
    threads: usize,
    progress: &MultiProgress,
) -> Result<Vec<TableLoad>, Error> {
    let started = Instant::now();
    let mut writers = JoinSet::new();
    for (place, (lane, &table)) in start(stage, threads)
        .into_iter()
        .zip(&stage.tables)
        .enumerate()
    {
        let source = Source {
            lane,
            table,
            bar: bar(progress, table),
            rows: 0,
            bytes: 0,
        };
        let (postgres, clickhouse) = (postgres.clone(), clickhouse.clone());
        writers.spawn(async move {
            let source = match table.engine {
                Engine::Postgres => copy(source, &postgres).await?,
                Engine::ClickHouse => insert(source, &clickhouse).await?,
            };
            source.bar.finish();
            let load = TableLoad {
                engine: match table.engine {
                    Engine::Postgres => "postgres",
                    Engine::ClickHouse => "clickhouse",
                },
                table: table.name,
                rows: source.rows,
                bytes: source.bytes,
                time: started.elapsed(),
            };
            Ok((place, load))
        });
    }
    let mut loads = Vec::new();
    while let Some(joined) = writers.join_next().await {
        // A writer that panicked counts as its generator; the others end with the set.
        let unknown = |_| Error::Generator {
            table: stage.tables[0].name,
        };
        loads.push(joined.map_err(unknown)??);
    }
    loads.sort_unstable_by_key(|(place, _)| *place);
    Ok(loads.into_iter().map(|(_, load)| load).collect())
}

fn bar(progress: &MultiProgress, table: Table) -> ProgressBar {
    let bar = ProgressBar::no_length().with_prefix(table.name);
    let template = "  {prefix:22} {human_pos:>12} rows {per_sec}";
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    progress.add(bar.with_style(style))
}

/// A table's rows on their way.
struct Source {
    lane: Lane,
    table: Table,
    bar: ProgressBar,
    rows: u64,
    bytes: u64,
}

impl Source {
    async fn next(&mut self) -> Result<Option<Rows>, Error> {
        let table = self.table.name;
        let next = self.lane.next().await;
        let Some(block) = next.map_err(|Broken| Error::Generator { table })? else {
            return Ok(None);
        };
        self.rows += block.rows;
        self.bytes += block.bytes.len() as u64;
        self.bar.inc(block.rows);
        Ok(Some(block))
    }
}

/// Creates and fills a PostgreSQL table in one transaction, so that with `wal_level =
/// minimal` nothing is logged and rows are frozen from the start.
async fn copy(mut source: Source, options: &PgConnectOptions) -> Result<Source, Error> {
    let table = source.table.name;
    let what = || Error::postgres(format!("copy rows into `{table}`"));
    let create = schema::statements(schema::TABLES)
        .find(|statement| creates(statement, table))
        .ok_or(Error::Schema { table })?;
    let mut connection = PgConnection::connect_with(options).await.map_err(what())?;
    connection.execute("BEGIN").await.map_err(what())?;
    connection.execute(create).await.map_err(what())?;
    let columns = source.table.columns;
    let statement = format!("COPY {table} ({columns}) FROM STDIN WITH (FORMAT binary, FREEZE)");
    let mut sink = connection.copy_in_raw(&statement).await.map_err(what())?;
    sink.send(HEADER).await.map_err(what())?;
    while let Some(block) = source.next().await? {
        sink.send(block.bytes).await.map_err(what())?;
    }
    sink.send(TRAILER).await.map_err(what())?;
    let stored = sink.finish().await.map_err(what())?;
    let made = source.rows;
    if stored != made {
        return Err(Error::Rows {
            table,
            made,
            stored,
        });
    }
    connection.execute("COMMIT").await.map_err(what())?;
    connection.close().await.map_err(what())?;
    Ok(source)
}

/// Fills a ClickHouse table, one batch after another: the next one is made while one is stored.
async fn insert(mut source: Source, client: &Client) -> Result<Source, Error> {
    let table = source.table;
    let mut storing = JoinSet::new();
    let mut batch = Batch::default();
    let stored = |joined: Option<Result<_, _>>| match joined {
        Some(joined) => joined.unwrap_or(Err(Error::Generator { table: table.name })),
        None => Ok(()),
    };
    while let Some(block) = source.next().await? {
        if let Some(full) = batch.add(block) {
            stored(storing.join_next().await)?;
            storing.spawn(store(full, table, client.clone()));
        }
    }
    stored(storing.join_next().await)?;
    store(batch, table, client.clone()).await?;
    Ok(source)
}

/// Stores a batch by an INSERT of its own, in the order of the table's key.
async fn store(batch: Batch, table: Table, client: Client) -> Result<(), Error> {
    let Table { name, columns, .. } = table;
    let what = || Error::clickhouse(format!("insert rows into `{name}`"));
    let statement = format!("INSERT INTO {name} ({columns}) FORMAT Native");
    let mut sink = client
        .insert_formatted_with(statement)
        // Otherwise a block's versions of one row would be merged on the way in.
        .with_setting("optimize_on_insert", "0");
    for bytes in batch.in_order(&table) {
        sink.send(bytes).await.map_err(what())?;
    }
    sink.end().await.map_err(what())
}
