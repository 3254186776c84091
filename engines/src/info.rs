//! What the engines say about themselves.

use std::collections::BTreeMap;

use verdict_audit::evidence::EngineInfo;

use crate::endpoints::Endpoints;
use crate::mode::Mode;
use crate::{Error, postgres_copy};

/// PostgreSQL's settings that decide speed and durability.
const POSTGRES: &[&str] = &[
    "autovacuum",
    "checkpoint_timeout",
    "effective_cache_size",
    "fsync",
    "full_page_writes",
    "jit",
    "maintenance_work_mem",
    "max_connections",
    "max_parallel_workers_per_gather",
    "max_wal_size",
    "pg_stat_statements.track",
    "plan_cache_mode",
    "random_page_cost",
    "shared_buffers",
    "shared_preload_libraries",
    "synchronous_commit",
    "track_io_timing",
    "wal_level",
    "wal_sync_method",
    "work_mem",
];
/// ClickHouse's, of the server and of a session.
const CLICKHOUSE: &[&str] = &[
    "async_insert",
    "fsync_metadata",
    "insert_quorum",
    "mark_cache_size",
    "max_bytes_before_external_group_by",
    "max_insert_threads",
    "max_memory_usage",
    "max_server_memory_usage",
    "max_threads",
    "use_query_cache",
    "use_query_condition_cache",
    "use_uncompressed_cache",
];
/// Redis's.
const REDIS: &[&str] = &[
    "appendonly",
    "io-threads",
    "maxmemory",
    "maxmemory-policy",
    "save",
];

pub(crate) async fn of(endpoints: &Endpoints, mode: Mode) -> Result<Vec<EngineInfo>, Error> {
    let mut all = Vec::new();
    for (name, answer) in [
        ("postgres", postgres(endpoints).await?),
        ("clickhouse", clickhouse(endpoints).await?),
        ("redis", redis(endpoints).await?),
    ] {
        let (version, settings) = answer;
        all.push(EngineInfo {
            name: name.to_owned(),
            version,
            mode: mode.to_string(),
            settings,
        });
    }
    Ok(all)
}

type Answer = (String, BTreeMap<String, String>);

async fn postgres(endpoints: &Endpoints) -> Result<Answer, Error> {
    let refused = || Error::refused("postgres", "tell its settings");
    let mut connection = postgres_copy::admin(&endpoints.postgres).await?;
    let version = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await
        .map_err(refused())?;
    let settings: Vec<(String, String)> =
        sqlx::query_as("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY($1)")
            .bind(POSTGRES)
            .fetch_all(&mut connection)
            .await
            .map_err(refused())?;
    postgres_copy::close(connection).await?;
    Ok((version, settings.into_iter().collect()))
}

async fn clickhouse(endpoints: &Endpoints) -> Result<Answer, Error> {
    let refused = || Error::refused("clickhouse", "tell its settings");
    let client = &endpoints.clickhouse;
    let version = client
        .query("SELECT version()")
        .fetch_one::<String>()
        .await
        .map_err(refused())?;
    let settings = client
        .query(
            "SELECT name, value FROM system.settings WHERE name IN ?
             UNION ALL
             SELECT name, value FROM system.server_settings WHERE name IN ?",
        )
        .bind(CLICKHOUSE)
        .bind(CLICKHOUSE)
        .fetch_all::<(String, String)>()
        .await
        .map_err(refused())?;
    Ok((version, settings.into_iter().collect()))
}

async fn redis(endpoints: &Endpoints) -> Result<Answer, Error> {
    let refused = || Error::refused("redis", "tell its settings");
    let mut connection = endpoints
        .redis
        .get_multiplexed_async_connection()
        .await
        .map_err(refused())?;
    let server: String = redis::cmd("INFO")
        .arg("server")
        .query_async(&mut connection)
        .await
        .map_err(refused())?;
    let field = |name: &str| {
        server
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    // Valkey names the Redis version that it is compatible with, too.
    let version = match (field("valkey_version"), field("redis_version")) {
        (Some(version), _) => format!("valkey {version}"),
        (None, Some(version)) => version.to_owned(),
        (None, None) => "unknown".to_owned(),
    };
    let mut settings = BTreeMap::new();
    for name in REDIS {
        // Hosted servers forbid CONFIG: then there is nothing to tell.
        if let Ok(answer) = redis::cmd("CONFIG")
            .arg("GET")
            .arg(name)
            .query_async::<BTreeMap<String, String>>(&mut connection)
            .await
        {
            settings.extend(answer);
        }
    }
    Ok((version, settings))
}
