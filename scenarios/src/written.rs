//! Whether tables of PostgreSQL were rewritten: what two copies of a database differ by before
//! that says nothing of after.

use sqlx::{AssertSqlSafe, PgPool, query_scalar};
use verdict_store::fault::Doing;
use verdict_store::{Engine, Error, Table};

/// Of a table's rows, the share that is new where it counts as rewritten.
const REWRITTEN: f64 = 0.1;

/// Tables as they are at one moment.
#[derive(Debug)]
pub(crate) struct Written {
    files: Vec<Option<i64>>,
    /// The first transaction that is later.
    transaction: String,
}

impl Written {
    pub(crate) async fn now(postgres: &PgPool, tables: &[Table]) -> Result<Self, Error> {
        let transaction = query_scalar("SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text")
            .fetch_one(postgres)
            .await
            .doing("see how far transactions are")?;
        Ok(Self {
            files: files(postgres, tables).await?,
            transaction,
        })
    }

    /// Whether one of the tables was rewritten since: it is in another file, or many of its rows
    /// are newer.
    pub(crate) async fn is_rewritten(
        &self,
        postgres: &PgPool,
        tables: &[Table],
    ) -> Result<bool, Error> {
        if files(postgres, tables).await? != self.files {
            return Ok(true);
        }
        for (name, _) in of_postgres(tables)
            .zip(&self.files)
            .filter(|(_, file)| file.is_some())
        {
            let newer = format!(
                "SELECT COALESCE(AVG((age(xmin) <= age($1::text::xid))::int), 0)::float8
                FROM {name} TABLESAMPLE SYSTEM (10)"
            );
            let newer: f64 = query_scalar(AssertSqlSafe(newer))
                .bind(&self.transaction)
                .fetch_one(postgres)
                .await
                .doing("see which rows are new")?;
            if newer >= REWRITTEN {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn of_postgres(tables: &[Table]) -> impl Iterator<Item = &'static str> {
    let of_postgres = tables
        .iter()
        .filter(|table| table.engine == Engine::Postgres);
    of_postgres.map(|table| table.name)
}

/// The files that tables are in; none for one that is not there.
async fn files(postgres: &PgPool, tables: &[Table]) -> Result<Vec<Option<i64>>, Error> {
    let names: Vec<&str> = of_postgres(tables).collect();
    query_scalar(
        "SELECT pg_relation_filenode(to_regclass(QUOTE_IDENT(name)))::bigint
        FROM UNNEST($1) WITH ORDINALITY AS named (name, place)
        ORDER BY place",
    )
    .bind(&names)
    .fetch_all(postgres)
    .await
    .doing("see the files of tables")
}
