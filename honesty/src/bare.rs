//! One bare connection: calls sent again, timed by the caller's clock and by the engine's own.

use std::time::Instant;

use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnectOptions, PgTypeInfo};
use sqlx::{
    AssertSqlSafe, Column, Connection, Executor, FromRow, PgConnection, SqlSafeStr, SqlStr,
    Statement as _, TypeInfo, query_as, query_with,
};
use verdict_engines::pgbench::Script;
use verdict_engines::{Call, Statement};
use verdict_store::Error;
use verdict_store::fault::Doing;

use crate::calls::{arguments, script, text};

/// Calls on a fresh connection that go uncounted: from the sixth on PostgreSQL may use a generic
/// plan.
pub(crate) const WARM_UP_CALLS: usize = 6;

/// What a call takes by two clocks, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Took {
    /// The caller's.
    pub caller_us: f64,
    /// The engine's own: planning and execution.
    pub engine_us: f64,
}

impl Took {
    /// What the caller's clock saw and the engine's did not.
    pub fn beyond_us(&self) -> f64 {
        self.caller_us - self.engine_us
    }
}

/// A connection without a pool, and one beside it to read the engine's clock by.
pub(crate) struct Bare {
    connection: PgConnection,
    clock: PgConnection,
}

const CLOCK: &str = "
SELECT /* verdict meter */
    COALESCE(SUM(total_exec_time + total_plan_time), 0)::float8 AS milliseconds
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
  AND toplevel
  AND query NOT LIKE '%verdict meter%'";

#[derive(FromRow)]
struct Clock {
    milliseconds: f64,
}

/// A call ready to be sent again and again.
type Ready<'a> = (&'a Call, SqlStr);

impl Bare {
    pub async fn connect(database: &PgConnectOptions) -> Result<Self, Error> {
        let connect = || async {
            let connected = PgConnection::connect_with(database).await;
            connected.doing("connect without a pool")
        };
        let (mut connection, clock) = (connect().await?, connect().await?);
        // Needs more rights than a database of one's own: without it planning is the caller's.
        let planning = "SET pg_stat_statements.track_planning = on";
        let _ = connection.execute(planning).await;
        Ok(Self { connection, clock })
    }

    /// What one call of several statements takes: so many blocks of so many calls, each block's
    /// mean.
    pub async fn blocks(
        &mut self,
        calls: &[Call],
        blocks: usize,
        each: usize,
    ) -> Result<Vec<Took>, Error> {
        let ready: Vec<Ready<'_>> = calls.iter().map(|call| (call, text(call))).collect();
        for _ in 0..WARM_UP_CALLS {
            self.call(&ready).await?;
        }
        let mut took = Vec::with_capacity(blocks);
        for _ in 0..blocks {
            let before = self.engine_us().await?;
            let mut caller_us = 0.0;
            for _ in 0..each {
                caller_us += self.call(&ready).await?;
            }
            let engine_us = self.engine_us().await? - before;
            took.push(Took {
                caller_us: caller_us / each as f64,
                engine_us: engine_us / each as f64,
            });
        }
        Ok(took)
    }

    /// Calls that are given the same parameters and answer the same rows, which are all there is
    /// in tables of this connection's own: what they cost beyond the engine's time is what it
    /// takes to ask and to be answered.
    pub async fn answering(&mut self, calls: &[Call]) -> Result<Vec<Call>, Error> {
        let mut answering = Vec::with_capacity(calls.len());
        for (number, call) in calls.iter().enumerate() {
            let columns = self.storable(&call.statement).await?;
            let keep = format!(
                "CREATE TEMPORARY TABLE answer_{number} AS SELECT {columns} FROM ({}) AS answer",
                call.statement.text
            );
            let kept = query_with(AssertSqlSafe(keep), arguments(call)?);
            kept.execute(&mut self.connection)
                .await
                .doing("keep what a statement answers")?;
            answering.push(Call {
                statement: Statement {
                    text: format!("SELECT * FROM answer_{number}"),
                    ..call.statement.clone()
                },
                ..call.clone()
            });
        }
        Ok(answering)
    }

    /// A statement's columns as a table can hold them: no table has rows without a type.
    async fn storable(&mut self, statement: &Statement) -> Result<String, Error> {
        let types: Vec<_> = statement
            .parameter_types
            .iter()
            .map(|oid| PgTypeInfo::with_oid(Oid(*oid)))
            .collect();
        let text = AssertSqlSafe(statement.text.clone()).into_sql_str();
        let prepared = (&mut self.connection).prepare_with(text, &types).await;
        let prepared = prepared.doing("see what a statement answers")?;
        let columns = prepared.columns().iter().map(|column| {
            let cast = match column.type_info().name() {
                "RECORD" | "RECORD[]" => "::text",
                _ => "",
            };
            format!("\"{}\"{cast}", column.name())
        });
        Ok(columns.collect::<Vec<_>>().join(", "))
    }

    /// One call by the caller's clock, with the writing of its parameters left out.
    async fn call(&mut self, calls: &[Ready<'_>]) -> Result<f64, Error> {
        let mut queries = Vec::with_capacity(calls.len());
        for (call, text) in calls {
            queries.push(query_with(text.clone(), arguments(call)?));
        }
        let started = Instant::now();
        for query in queries {
            let answered = query.fetch_all(&mut self.connection).await;
            answered.doing("send a call again")?;
        }
        Ok(started.elapsed().as_secs_f64() * 1e6)
    }

    async fn engine_us(&mut self) -> Result<f64, Error> {
        let clock: Clock = query_as(CLOCK)
            .fetch_one(&mut self.clock)
            .await
            .doing("read pg_stat_statements")?;
        Ok(clock.milliseconds * 1e3)
    }

    /// The calls as a script of pgbench's.
    pub async fn script(&mut self, calls: &[Call]) -> Result<Script, Error> {
        script(&mut self.clock, calls).await
    }

    pub async fn close(self) -> Result<(), Error> {
        for connection in [self.connection, self.clock] {
            connection.close().await.doing("close a connection")?;
        }
        Ok(())
    }
}
