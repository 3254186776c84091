//! What a variant changes, and how the change is taken back.

use std::fmt;

use futures_util::future::BoxFuture;
use sqlx::Executor;
use verdict_baseline::schema::statements;

use crate::engine::{Engine, Table};
use crate::fault::{Doing, EngineError, Fault};
use crate::store::{Connect, Store};

/// One step of a change.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Statements: in PostgreSQL one transaction; in ClickHouse, which has none, one statement
    /// after the other, with no semicolon inside a statement; in Redis one command a line.
    Script(Engine, &'static str),
    /// A PostgreSQL statement that runs in no transaction, such as CREATE INDEX CONCURRENTLY.
    Alone(&'static str),
    /// Rust: a backfill, a refresh.
    Job(Job),
}

/// A step that is code.
#[derive(Clone, Copy)]
pub struct Job {
    /// What it does, as a verb phrase.
    pub what: &'static str,
    /// Does it.
    pub run: for<'a> fn(&'a Store) -> BoxFuture<'a, Result<(), Fault>>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.what).finish()
    }
}

/// How a change is taken back.
#[derive(Debug, Clone, Copy)]
pub enum Down {
    /// By steps, as a deploy would be rolled back. Every optimized change has these.
    Steps(&'static [Step]),
    /// By giving the touched tables back as the world has them; only where one change stands
    /// alone.
    Renew,
}

/// What a variant changes. The baseline changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Applies it. Safe on populated tables.
    pub up: &'static [Step],
    /// Takes it back, to the same schema and the same rows.
    pub down: Down,
    /// The tables whose rows, columns or indexes it changes.
    pub touches: &'static [Table],
    /// What it needs of other changes: tables that have to be there before it is made and for as
    /// long as it stands, such as those that its job fills as well. Whatever touches one of them
    /// is made before it and taken back after it.
    pub stands_on: &'static [Table],
    /// How the variant is connected, told from how today is.
    pub connect: fn(Connect) -> Connect,
}

impl Change {
    /// Nothing.
    pub const NONE: Self = Self {
        up: &[],
        down: Down::Steps(&[]),
        touches: &[],
        stands_on: &[],
        connect: std::convert::identity,
    };

    /// A change of schema by steps.
    pub const fn steps(
        up: &'static [Step],
        down: &'static [Step],
        touches: &'static [Table],
    ) -> Self {
        Self {
            up,
            down: Down::Steps(down),
            touches,
            ..Self::NONE
        }
    }

    /// The same on tables that others may touch as well.
    #[must_use]
    pub const fn standing_on(self, tables: &'static [Table]) -> Self {
        Self {
            stands_on: tables,
            ..self
        }
    }

    /// Whether it is made after the other and taken back before it, where both are made.
    pub fn needs(&self, other: &Self) -> bool {
        let mut tables = self.stands_on.iter();
        tables.any(|table| other.touches.contains(table))
    }

    /// Whether one of the tables that it touches is an engine's.
    pub fn touches_engine(&self, engine: Engine) -> bool {
        self.touches.iter().any(|table| table.engine == engine)
    }

    /// Whether it changes anything in an engine.
    pub fn is_none(&self) -> bool {
        self.up.is_empty()
    }
}

/// Runs steps one after the other.
///
/// # Errors
/// The first step's that fails: [`Fault::Variant`] with the engine's words when it refuses a
/// statement, [`Fault::Harness`] when it cannot be reached. The steps before stay done, and in
/// ClickHouse also the statements before.
pub async fn run(steps: &[Step], store: &Store) -> Result<(), Fault> {
    for step in steps {
        match step {
            Step::Script(Engine::Postgres, script) | Step::Alone(script) => {
                // The failure to connect is never the script's.
                let mut connection = store
                    .postgres
                    .acquire()
                    .await
                    .doing("connect to the side that is changed")?;
                // Without parameters a text of several statements is one implicit transaction,
                // and a text of one statement is in none of its own making.
                connection.execute(*script).await?;
            }
            Step::Script(Engine::ClickHouse, script) => in_clickhouse(script, store).await?,
            Step::Script(Engine::Redis, script) => {
                for line in script
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                {
                    let mut words = line.split_whitespace();
                    let mut command = redis::cmd(words.next().unwrap_or_default());
                    command.arg(words.collect::<Vec<_>>());
                    command
                        .exec_async(&mut store.redis.clone())
                        .await
                        .map_err(EngineError::fault)?;
                }
            }
            Step::Job(job) => (job.run)(store).await?,
        }
    }
    Ok(())
}

/// Runs those steps of a change that make a difference to ClickHouse on each part of the world
/// that a store has there.
///
/// # Errors
/// As [`run`].
pub async fn run_on_rungs(change: &Change, steps: &[Step], store: &Store) -> Result<(), Fault> {
    for store in store.rungs().filter_map(|rung| store.rung(rung)) {
        run_on_rung(change, steps, &store).await?;
    }
    Ok(())
}

/// The same on one part: its scripts, and its jobs where it touches tables of ClickHouse.
///
/// # Errors
/// As [`run`].
pub async fn run_on_rung(change: &Change, steps: &[Step], store: &Store) -> Result<(), Fault> {
    let stored = change.touches_engine(Engine::ClickHouse);
    for step in steps {
        match step {
            Step::Script(Engine::ClickHouse, script) => in_clickhouse(script, store).await?,
            Step::Job(job) if stored => (job.run)(store).await?,
            Step::Script(..) | Step::Alone(_) | Step::Job(_) => {}
        }
    }
    Ok(())
}

async fn in_clickhouse(script: &'static str, store: &Store) -> Result<(), Fault> {
    for statement in statements(script) {
        store.clickhouse.query(statement).execute().await?;
    }
    Ok(())
}
