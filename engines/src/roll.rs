//! The roll of a world in the user's servers: how many rows each of its tables has. It seals the
//! world there, where no files can be looked at.

use clickhouse::Client;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Error, clickhouse_copy, postgres_copy, quote};

/// The first words of every roll.
const WHOLE: &str = "verdict: a whole world: ";

/// Counts a world's rows in both servers.
pub(crate) async fn call(
    postgres: &PgConnectOptions,
    clickhouse: &Client,
    name: &str,
) -> Result<String, Error> {
    let mut connection = postgres_copy::admin(&postgres.clone().database(name)).await?;
    let counted = of_postgres(&mut connection).await;
    postgres_copy::close(connection).await?;
    let mut counts = counted.map_err(Error::refused("postgres", "count the world's rows"))?;
    for (table, rows) in clickhouse_copy::counts(clickhouse, name).await? {
        counts.push(format!("{table} in ClickHouse {rows}"));
    }
    Ok(format!("{WHOLE}{}", counts.join(", ")))
}

async fn of_postgres(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut counts = Vec::with_capacity(tables.len());
    for table in tables {
        let count = format!("SELECT count(*) FROM public.{}", quote::postgres(&table));
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count))
            .fetch_one(&mut *connection)
            .await?;
        counts.push(format!("{table} {rows}"));
    }
    Ok(counts)
}

/// The first difference between the roll that a world was sealed with and today's; `None` when
/// there is none.
pub(crate) fn difference(sealed: &str, now: &str) -> Option<String> {
    if sealed == now {
        return None;
    }
    let mut tables = now.split(", ");
    for was in sealed.split(", ") {
        let is = tables.next().unwrap_or("nothing");
        if was != is {
            let bare = |entry: &str| entry.trim_start_matches(WHOLE).to_owned();
            return Some(format!("{} instead of {}", bare(is), bare(was)));
        }
    }
    Some("more tables than were put there".to_owned())
}

/// Whether a comment on a database is a roll.
pub(crate) fn is_one(comment: &str) -> bool {
    comment.starts_with(WHOLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_that_differs_is_named() {
        let roll = |tables: &str| format!("{WHOLE}{tables}");
        let sealed = roll("likes 3, users 2");
        assert_eq!(difference(&sealed, &sealed), None);
        let told = |now: &str| difference(&sealed, &roll(now)).unwrap();
        assert_eq!(told("likes 2, users 2"), "likes 2 instead of likes 3");
        assert_eq!(told("likes 3"), "nothing instead of users 2");
        assert_eq!(
            told("likes 3, users 2, views 1"),
            "more tables than were put there"
        );
        assert!(is_one(&sealed) && !is_one("precious"));
    }
}
