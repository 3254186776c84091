//! A side has databases of its own in all three engines, and gets them back as the world is.

use sqlx::{Connection, PgConnection};
use verdict_engines::{Engines, Error, Sandbox};

use crate::common::{options, runtime};

/// A role that is a bad name in every engine.
const ODD: &str = "It's `odd\"-Side";
/// A table of that kind.
const TABLE: &str = "Odd`-\"Table";

#[test]
fn a_side_is_the_world_again_and_touches_neither_it_nor_another_side() {
    runtime().block_on(async {
        let engines = Engines::start(&options()).await.unwrap();
        build(&engines).await;

        let odd = engines.sandbox(ODD).await.unwrap();
        let other = engines.sandbox("other").await.unwrap();
        for side in [&odd, &other] {
            assert_eq!(counts(side).await, (3, 10, [10, 10, 10, 5], 0));
        }
        spoil(&odd).await;
        // The views read the side's own tables, not the world's.
        assert_eq!(counts(&odd).await, (0, 11, [11, 11, 11, 5], 1));
        assert_eq!(counts(&other).await, (3, 10, [10, 10, 10, 5], 0));

        engines.renew_postgres(ODD).await.unwrap();
        engines.renew_redis(ODD).await.unwrap();
        engines
            .renew_clickhouse(ODD, &[TABLE, "rows", "no such table"])
            .await
            .unwrap();
        assert_eq!(counts(&odd).await, (3, 10, [10, 10, 10, 5], 0));

        spoil(&odd).await;
        let again = engines.sandbox(ODD).await.unwrap();
        assert_eq!(again.database(), odd.database());
        assert_eq!(counts(&again).await, (3, 10, [10, 10, 10, 5], 0));

        engines.drop_sandbox(ODD).await.unwrap();
        engines.drop_sandbox(ODD).await.expect("none is no error");
        assert!(matches!(
            engines.renew_redis(ODD).await,
            Err(Error::NoSide { .. })
        ));
        assert!(
            PgConnection::connect_with(&odd.endpoints().postgres)
                .await
                .is_err()
        );
        assert_eq!(counts(&other).await, (3, 10, [10, 10, 10, 5], 0));
        engines.stop().await.unwrap();
    });
}

/// A world with every kind of object that a copy must bring along.
async fn build(engines: &Engines) {
    let mut connection = PgConnection::connect_with(&engines.postgres(engines.world()))
        .await
        .unwrap();
    sqlx::raw_sql("CREATE TABLE t AS SELECT generate_series(1, 3) AS n")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let table = identifier(TABLE);
    for statement in [
        format!("CREATE TABLE {table} (n UInt64) ENGINE = MergeTree ORDER BY n"),
        "CREATE TABLE lookup (n UInt64) ENGINE = Memory".to_owned(),
        "INSERT INTO lookup SELECT number FROM numbers(5)".to_owned(),
        format!(
            "CREATE MATERIALIZED VIEW rows ENGINE = MergeTree ORDER BY n AS SELECT n FROM {table}"
        ),
        format!("INSERT INTO {table} SELECT number FROM numbers(10)"),
        // The one that stands on the other comes first by name.
        format!("CREATE VIEW z AS SELECT n FROM {table}"),
        "CREATE VIEW `A-view` AS SELECT n FROM z".to_owned(),
    ] {
        engines
            .clickhouse(engines.world())
            .query(&statement)
            .execute()
            .await
            .unwrap();
    }
}

/// Rows of PostgreSQL's table, of ClickHouse's, of what stands on that (two views, the
/// materialized view, a table in memory), and keys in Redis.
async fn counts(side: &Sandbox) -> (i64, u64, [u64; 4], u64) {
    let endpoints = side.endpoints();
    let mut connection = PgConnection::connect_with(&endpoints.postgres)
        .await
        .unwrap();
    let postgres = sqlx::query_scalar("SELECT count(*) FROM t")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let mut counted: Vec<u64> = Vec::new();
    for table in [TABLE, "z", "A-view", "rows", "lookup"] {
        let statement = format!("SELECT count() FROM {}", identifier(table));
        let client = endpoints.clickhouse.clone();
        counted.push(client.query(&statement).fetch_one().await.unwrap());
    }
    let mut redis = endpoints
        .redis
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let keys = redis::cmd("DBSIZE").query_async(&mut redis).await.unwrap();
    let stands_on_it = counted.split_off(1);
    (postgres, counted[0], stands_on_it.try_into().unwrap(), keys)
}

async fn spoil(side: &Sandbox) {
    let endpoints = side.endpoints();
    let mut connection = PgConnection::connect_with(&endpoints.postgres)
        .await
        .unwrap();
    sqlx::query("TRUNCATE t")
        .execute(&mut connection)
        .await
        .unwrap();
    endpoints
        .clickhouse
        .query(&format!("INSERT INTO {} VALUES (77)", identifier(TABLE)))
        .execute()
        .await
        .unwrap();
    let mut redis = endpoints
        .redis
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("SET")
        .arg("key")
        .arg(1)
        .exec_async(&mut redis)
        .await
        .unwrap();
}

fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "\\`"))
}
