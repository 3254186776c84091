//! The databases that runs have in the user's servers: whose they are, and dropping them.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use crate::endpoints::Endpoints;
use crate::{Error, clickhouse_copy, names, postgres_copy, redis_claim};

/// For the keeper: drops the databases of a run, and gives back what it claimed in Redis.
pub(crate) async fn drop_own(run: &str) -> Result<(), Error> {
    let endpoints = Endpoints::from_environment()?;
    for (number, owner) in redis_claim::claims(&endpoints.redis).await? {
        if owner == run {
            redis_claim::release(&endpoints.redis, number, run).await?;
        }
    }
    let prefix = names::prefix(run);
    for name in both(&endpoints)
        .await?
        .iter()
        .filter(|name| name.starts_with(&prefix))
    {
        drop_both(&endpoints, name).await?;
    }
    Ok(())
}

/// Drops every world that nobody is building or copying, and every dead run's copy; returns the
/// names.
pub(crate) async fn clean() -> Result<Vec<String>, Error> {
    let endpoints = Endpoints::from_environment()?;
    let mut dropped = drop_dead(&endpoints).await?;
    let mut guard = postgres_copy::admin(&endpoints.postgres).await?;
    for name in both(&endpoints).await? {
        if name.starts_with("verdict_world_") && attempt(&mut guard, &name).await? {
            drop_both(&endpoints, &name).await?;
            dropped.push(name);
        }
    }
    // Its end lets go of the locks.
    postgres_copy::close(guard).await?;
    Ok(dropped)
}

/// The lock of a sealed world, held by its builder and by whoever makes a copy of it: waits, and
/// has it until the session ends.
pub(crate) async fn lock(session: &mut PgConnection, world: &str) -> Result<(), Error> {
    let wait = format!("SELECT pg_advisory_lock({})", key(world));
    postgres_copy::execute(session, wait).await
}

/// Whether that lock could be had at once.
async fn attempt(session: &mut PgConnection, world: &str) -> Result<bool, Error> {
    let ask = format!("SELECT pg_try_advisory_lock({})", key(world));
    sqlx::query_scalar(sqlx::AssertSqlSafe(ask))
        .fetch_one(session)
        .await
        .map_err(Error::refused("postgres", "lock a world"))
}

/// A world's name is made of letters, digits and underscores.
fn key(world: &str) -> String {
    format!("hashtextextended('{world}', 0)")
}

/// Drops the databases of runs that have no session any more, and gives back the Redis
/// databases that they had claimed; returns what.
pub(crate) async fn drop_dead(endpoints: &Endpoints) -> Result<Vec<String>, Error> {
    let mut connection = postgres_copy::admin(&endpoints.postgres).await?;
    // The databases first: a run that begins in between has its session before its databases.
    let databases = both(endpoints).await?;
    let claims = redis_claim::claims(&endpoints.redis).await?;
    let living: Vec<String> = sqlx::query_scalar("SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'verdict\\_%'")
        .fetch_all(&mut connection)
        .await
        .map_err(Error::refused("postgres", "list its sessions"))?;
    postgres_copy::close(connection).await?;
    let is_dead = |run: &str| !living.contains(&format!("verdict_{run}"));
    let mut dropped = Vec::new();
    for name in databases {
        let Some(run) = names::run_of(&name) else {
            continue;
        };
        if is_dead(run) {
            drop_both(endpoints, &name).await?;
            dropped.push(name);
        }
    }
    for (number, run) in claims {
        if is_dead(&run) {
            redis_claim::release(&endpoints.redis, number, &run).await?;
            dropped.push(format!("Redis database {number}"));
        }
    }
    Ok(dropped)
}

/// The names of all databases in either server that start with `verdict_`.
async fn both(endpoints: &Endpoints) -> Result<BTreeSet<String>, Error> {
    let mut connection = postgres_copy::admin(&endpoints.postgres).await?;
    // Only what this user made: another's would not be ours whatever its name.
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database WHERE datname LIKE 'verdict\\_%' AND datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(Error::refused("postgres", "list its databases"))?;
    postgres_copy::close(connection).await?;
    let mut all = clickhouse_copy::databases(&endpoints.clickhouse).await?;
    all.retain(|name| name.starts_with("verdict_"));
    all.extend(names);
    Ok(all)
}

/// Drops a database in both servers.
pub(crate) async fn drop_both(endpoints: &Endpoints, name: &str) -> Result<(), Error> {
    postgres_copy::drop_database(&endpoints.postgres, name).await?;
    clickhouse_copy::drop_database(&endpoints.clickhouse, name).await
}
