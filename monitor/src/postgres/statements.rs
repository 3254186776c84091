//! The statements that a PostgreSQL spends its time on, as pg_stat_statements has them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgExecutor, query, query_as};

use super::{Server, seen};
use crate::{Missing, Result, Seen, on_one_line};

/// The statements of a database. Those within statements are part of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statements {
    /// All of them together.
    pub all: All,
    /// Those that take most of the time, whatever one call takes.
    pub by_total: Vec<Statement>,
    /// Those that touch most pages for each row that they return or change: rows read are counted
    /// of tables, and of no statement.
    pub by_pages_a_row: Vec<Statement>,
    /// Those above 100 ms on average, of all databases, as an audit asks for them: what it does not
    /// list may take most of the time.
    pub above_100_ms: Seen<Vec<Listed>>,
    /// What is not told of them.
    pub missing: Vec<Missing>,
}

/// All statements together.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct All {
    /// Different ones.
    pub statements: i64,
    /// Calls.
    pub calls: i64,
    /// Milliseconds.
    pub total_ms: f64,
    /// Pages touched, in the cache or not.
    pub pages: i64,
    /// Different ones that this user is not told.
    pub hidden: i64,
    /// Since when they are counted.
    pub since: Option<DateTime<Utc>>,
}

/// A statement, whatever its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Statement {
    /// Its number.
    pub id: i64,
    /// Its text.
    pub text: String,
    /// Calls.
    pub calls: i64,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Milliseconds of a call, on average.
    pub mean_ms: f64,
    /// Rows that it returned or changed.
    pub rows: i64,
    /// Pages that it touched, in the cache or not.
    pub pages: i64,
}

impl Statement {
    /// Pages for each row.
    pub fn pages_a_row(&self) -> f64 {
        self.pages as f64 / self.rows.max(1) as f64
    }
}

/// A statement as [`above_100_ms`] lists it: milliseconds are whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Listed {
    /// Calls.
    pub calls: i64,
    /// Of a call, on average.
    pub avg_ms: i32,
    /// Of the longest call.
    pub max_ms: i32,
    /// In all.
    pub total_ms: i32,
    /// Its text.
    pub query: Option<String>,
}

/// Of this database, and not what is asked here.
macro_rules! own {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT /* verdict monitor */",
            $columns,
            "
FROM pg_stat_statements
WHERE toplevel
  AND dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
  AND query NOT LIKE '%/* verdict monitor */%'",
            $rest
        )
    };
}

macro_rules! statements {
    ($rest:literal) => {
        own!(
            "
    queryid AS id,
    LEFT(query, 8000) AS text,
    calls,
    total_exec_time AS total_ms,
    mean_exec_time AS mean_ms,
    rows,
    shared_blks_hit + shared_blks_read AS pages",
            $rest
        )
    };
}

const ALL: &str = own!(
    "
    COUNT(*) AS statements,
    COALESCE(SUM(calls), 0)::bigint AS calls,
    COALESCE(SUM(total_exec_time), 0)::float8 AS total_ms,
    COALESCE(SUM(shared_blks_hit + shared_blks_read), 0)::bigint AS pages,
    COUNT(*) FILTER (WHERE queryid IS NULL) AS hidden,
    (SELECT stats_reset FROM pg_stat_statements_info) AS since",
    ""
);

const BY_TOTAL: &str = statements!(
    "
  AND queryid IS NOT NULL
ORDER BY total_exec_time DESC, queryid
LIMIT 20"
);

/// What touches less than a thousandth of all pages is worth no look, whatever it returns.
const BY_PAGES_A_ROW: &str = statements!(
    "
  AND queryid IS NOT NULL
  AND 1000 * (shared_blks_hit + shared_blks_read) >= $1
  AND shared_blks_hit + shared_blks_read > 0
ORDER BY (shared_blks_hit + shared_blks_read)::float8 / GREATEST(rows, 1) DESC, queryid
LIMIT 20"
);

/// What an audit asks for: above 100 ms on average, the slowest first, of whatever database.
const ABOVE_100_MS: &str = "
SELECT
    calls,
    mean_exec_time::int AS avg_ms,
    max_exec_time::int AS max_ms,
    total_exec_time::int AS total_ms,
    query
FROM pg_stat_statements
WHERE mean_exec_time > 100
ORDER BY mean_exec_time DESC
LIMIT 20";

/// All statements of the database together.
///
/// # Errors
/// PostgreSQL's.
pub async fn all(server: impl PgExecutor<'_>) -> sqlx::Result<All> {
    query_as(ALL).fetch_one(server).await
}

/// The statements that take most of the time.
///
/// # Errors
/// PostgreSQL's.
pub async fn by_total(server: impl PgExecutor<'_>) -> sqlx::Result<Vec<Statement>> {
    Ok(lines(query_as(BY_TOTAL).fetch_all(server).await?))
}

/// The statements that touch most pages for a row, of those that touch a thousandth of so many at
/// least.
///
/// # Errors
/// PostgreSQL's.
pub async fn by_pages_a_row(
    server: impl PgExecutor<'_>,
    pages: i64,
) -> sqlx::Result<Vec<Statement>> {
    let listed = query_as(BY_PAGES_A_ROW).bind(pages).fetch_all(server);
    Ok(lines(listed.await?))
}

/// The statements above 100 ms on average.
///
/// # Errors
/// PostgreSQL's, also where a statement has taken more milliseconds in all than a whole number of
/// 32 bits holds.
pub async fn above_100_ms(server: impl PgExecutor<'_>) -> sqlx::Result<Vec<Listed>> {
    let mut listed: Vec<Listed> = query_as(ABOVE_100_MS).fetch_all(server).await?;
    for statement in &mut listed {
        statement.query = statement.query.as_deref().map(on_one_line);
    }
    Ok(listed)
}

fn lines(mut statements: Vec<Statement>) -> Vec<Statement> {
    for statement in &mut statements {
        statement.text = on_one_line(&statement.text);
    }
    statements
}

pub(super) async fn read(session: &mut PgConnection, server: &Server) -> Result<Seen<Statements>> {
    let Some(schema) = &server.statements_in else {
        return Ok(Seen::without(
            "this database has no pg_stat_statements",
            switched_on(server),
        ));
    };
    if server.statements_usable == Some(false) {
        return Ok(Seen::without(
            format!("pg_stat_statements is in the schema {schema}, which this user may not use"),
            format!("GRANT USAGE ON SCHEMA {schema} TO {}", server.role),
        ));
    }
    // Its view may be in a schema that is not looked into.
    let what = "statements are not told";
    let asked = async {
        query(
            "SELECT /* verdict monitor */ SET_CONFIG('search_path', $1 || ', pg_catalog', FALSE)",
        )
        .bind(schema)
        .execute(&mut *session)
        .await?;
        let all = all(&mut *session).await?;
        let by_total = by_total(&mut *session).await?;
        let by_pages_a_row = by_pages_a_row(&mut *session, all.pages).await?;
        Ok::<_, sqlx::Error>((all, by_total, by_pages_a_row))
    };
    let (all, by_total, by_pages_a_row) = match seen(asked.await, what, switched_on(server))? {
        Seen::Told(told) => told,
        Seen::Missing(missing) => return Ok(Seen::Missing(missing)),
    };
    let above_100_ms = seen(
        above_100_ms(&mut *session).await,
        "the question for statements above 100 ms is refused",
        "SELECT pg_stat_statements_reset()",
    )?;
    let mut missing = vec![Missing {
        what: "percentiles: of each statement only the mean is kept, and the longest call"
            .to_owned(),
        remedy: "take them where calls are made, or from the log of slow statements".to_owned(),
    }];
    if all.hidden > 0 {
        missing.push(Missing {
            what: format!(
                "{} of {} statements are other users'",
                all.hidden, all.statements
            ),
            remedy: server.grant(),
        });
    }
    Ok(Seen::Told(Statements {
        all,
        by_total,
        by_pages_a_row,
        above_100_ms,
        missing,
    }))
}

/// What switches pg_stat_statements on. Where it is on, the extension is older than the server:
/// an upgrade leaves it as it was.
fn switched_on(server: &Server) -> String {
    const NAME: &str = "pg_stat_statements";
    let create = match &server.statements_in {
        Some(_) => format!("ALTER EXTENSION {NAME} UPDATE"),
        None => format!("CREATE EXTENSION {NAME}"),
    };
    let libraries = match server.preloaded.as_deref() {
        Some(libraries) if libraries.contains(NAME) => return create,
        Some(libraries) if !libraries.is_empty() => format!("'{libraries},{NAME}'"),
        Some(_) => format!("'{NAME}'"),
        None => format!("'{NAME}', with the libraries that are there"),
    };
    let restart =
        format!("shared_preload_libraries = {libraries} in postgresql.conf, and a restart");
    match server.statements_in {
        Some(_) => restart,
        None => format!("{restart}; then {create}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(statements_in: Option<&str>, preloaded: Option<&str>) -> Server {
        Server {
            version: "18".to_owned(),
            number: 180_000,
            database: "db".to_owned(),
            role: "me".to_owned(),
            reads_all: true,
            up_seconds: 1.0,
            statements_in: statements_in.map(str::to_owned),
            statements_usable: statements_in.map(|_| true),
            preloaded: preloaded.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_off_is_told_with_no_more_than_it_takes() {
        let words = switched_on(&server(None, Some("pg_stat_statements")));
        assert_eq!(words, "CREATE EXTENSION pg_stat_statements");
        let words = switched_on(&server(None, Some("auto_explain")));
        assert!(
            words.contains("'auto_explain,pg_stat_statements'"),
            "{words}"
        );
        assert!(words.contains("then CREATE EXTENSION"), "{words}");
        let words = switched_on(&server(Some("public"), Some("")));
        assert!(words.contains("restart"), "{words}");
        assert!(!words.contains("EXTENSION"), "{words}");
        let words = switched_on(&server(Some("public"), Some("pg_stat_statements")));
        assert_eq!(words, "ALTER EXTENSION pg_stat_statements UPDATE");
    }
}
