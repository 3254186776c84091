//! Servers of the user's: Verdict makes databases of its own in them, and touches no others.
//!
//! Every database it makes is named `verdict_...`. A sealed world is `verdict_world_<key>` in
//! both servers; it is whole once the PostgreSQL one carries the comment [`WHOLE`]. A run
//! works on copies named `verdict_<run>_...`, so two runs at once do not meet. A run holds a
//! session whose application name is `verdict_<run>`; copies without such a session are a
//! dead run's, and the next start drops them. Usually the run's keeper has done so.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::PgConnection;

use crate::embedded::blocking;
use crate::endpoints::Endpoints;
use crate::keeper_handle::KeeperHandle;
use crate::options::{Mode, Options};
use crate::protocol::Elsewhere;
use crate::{Error, clickhouse_copy, clone, folders, world};

/// The comment on a database that holds a whole world.
const WHOLE: &str = "verdict: a whole world";

/// The variables that name the servers.
pub(crate) const VARIABLES: [&str; 3] = ["DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL"];

/// A run on the user's servers; dropping it drops the run's databases.
#[derive(Debug)]
pub(crate) struct External {
    endpoints: Endpoints,
    run: String,
    /// Drops the databases, also if this process cannot.
    keeper: KeeperHandle,
    /// Says that the run lives, for as long as it is open.
    lease: PgConnection,
}

impl External {
    /// Connects to all three, and drops what dead runs left.
    pub(crate) async fn connect(options: &Options, run: &str) -> Result<Self, Error> {
        let mut endpoints = Endpoints::from_environment()?;
        let reached = endpoints.clone();
        unreachable(VARIABLES[0], reached.ping_postgres()).await?;
        unreachable(VARIABLES[1], reached.ping_clickhouse()).await?;
        unreachable(VARIABLES[2], reached.ping_redis()).await?;
        endpoints.postgres = endpoints.postgres.application_name("verdict");
        let lease = clone::admin(
            &endpoints
                .postgres
                .clone()
                .application_name(&format!("verdict_{run}")),
        )
        .await?;
        drop_dead(&endpoints).await?;
        let runs = options.cache.join("runs");
        blocking({
            let runs = runs.clone();
            move || folders::sweep(&runs)
        })
        .await?;
        let keeper = KeeperHandle::hold(&options.host, runs.join(run)).await?;
        keeper.clean_up(Elsewhere::Databases(run.to_owned()))?;
        Ok(Self {
            endpoints,
            run: run.to_owned(),
            keeper,
            lease,
        })
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The run's own copy of the world `key`, which `build` fills if it is not there.
    /// `build` is given the name of an empty database.
    pub(crate) async fn world(
        &self,
        key: &str,
        build: impl AsyncFnOnce(&str) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let postgres = clone::version(&self.endpoints.postgres).await?;
        let clickhouse = clickhouse_copy::version(&self.endpoints.clickhouse).await?;
        let sealed = format!(
            "verdict_world_{}",
            world::name(key, &format!("{postgres}, {clickhouse}"))
        );
        // One builder at a time; its end, however it comes, lets go of the lock.
        let mut guard = clone::admin(&self.endpoints.postgres).await?;
        clone::execute(
            &mut guard,
            format!("SELECT pg_advisory_lock(hashtextextended('{sealed}', 0))"),
        )
        .await?;
        if !self.is_whole(&sealed).await? {
            self.drop_both(&sealed).await?;
            self.create(&sealed).await?;
            if let Err(error) = build(&sealed).await {
                self.drop_both(&sealed).await?;
                return Err(error);
            }
            clone::execute(
                &mut guard,
                format!("COMMENT ON DATABASE {sealed} IS '{WHOLE}'"),
            )
            .await?;
        }
        let own = self.own_world();
        clone::make(&self.endpoints.postgres, &own, &sealed).await?;
        clickhouse_copy::make(&self.endpoints.clickhouse, &own, &sealed).await?;
        clone::close(guard).await?;
        Ok(own)
    }

    /// An empty database for the run.
    pub(crate) async fn empty(&self) -> Result<String, Error> {
        let own = self.own_world();
        self.create(&own).await?;
        Ok(own)
    }

    fn own_world(&self) -> String {
        clone::name(&self.run, "world")
    }

    async fn is_whole(&self, name: &str) -> Result<bool, Error> {
        let mut connection = clone::admin(&self.endpoints.postgres).await?;
        let whole: Option<bool> = sqlx::query_scalar(
            "SELECT shobj_description(oid, 'pg_database') = $2 FROM pg_database WHERE datname = $1",
        )
        .bind(name)
        .bind(WHOLE)
        .fetch_optional(&mut connection)
        .await
        .map_err(Error::refused("postgres", "look for the world"))?
        .flatten();
        clone::close(connection).await?;
        Ok(whole == Some(true)
            && clickhouse_copy::databases(&self.endpoints.clickhouse)
                .await?
                .contains(name))
    }

    async fn create(&self, name: &str) -> Result<(), Error> {
        let mut connection = clone::admin(&self.endpoints.postgres).await?;
        clone::execute(&mut connection, format!("CREATE DATABASE {name}")).await?;
        clone::close(connection).await?;
        clone::count_work(&self.endpoints.postgres.clone().database(name)).await.map_err(|error| Error::Unreachable {
            variable: VARIABLES[0],
            reason: format!(
                "work is counted by pg_stat_statements, which it does not offer ({error}): put it into shared_preload_libraries, \
                 or use --engines embedded"
            ),
        })?;
        clickhouse_copy::create(&self.endpoints.clickhouse, name).await
    }

    async fn drop_both(&self, name: &str) -> Result<(), Error> {
        drop_both(&self.endpoints, name).await
    }

    /// Drops the run's databases.
    pub(crate) async fn end(self) -> Result<(), Error> {
        let Self {
            lease, mut keeper, ..
        } = self;
        blocking(move || keeper.end()).await?;
        clone::close(lease).await
    }
}

/// For the keeper: drops the databases of a run.
pub(crate) async fn drop_own(run: &str) -> Result<(), Error> {
    let endpoints = Endpoints::from_environment()?;
    let prefix = clone::name(run, "");
    for name in both(&endpoints)
        .await?
        .iter()
        .filter(|name| name.starts_with(&prefix))
    {
        drop_both(&endpoints, name).await?;
    }
    Ok(())
}

/// Drops every world and every dead run's copy; returns the names.
pub(crate) async fn clean() -> Result<Vec<String>, Error> {
    let endpoints = Endpoints::from_environment()?;
    let mut dropped = drop_dead(&endpoints).await?;
    for name in both(&endpoints).await? {
        if name.starts_with("verdict_world_") {
            drop_both(&endpoints, &name).await?;
            dropped.push(name);
        }
    }
    Ok(dropped)
}

/// Drops the databases of runs that have no session any more.
async fn drop_dead(endpoints: &Endpoints) -> Result<Vec<String>, Error> {
    let mut connection = clone::admin(&endpoints.postgres).await?;
    // The databases first: a run that begins in between has its session before its databases.
    let databases = both(endpoints).await?;
    let living: Vec<String> = sqlx::query_scalar("SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'verdict\\_%'")
        .fetch_all(&mut connection)
        .await
        .map_err(Error::refused("postgres", "list its sessions"))?;
    clone::close(connection).await?;
    let mut dropped = Vec::new();
    for name in databases {
        let Some(owner) = owner(&name) else { continue };
        if !living.iter().any(|alive| alive == owner) {
            drop_both(endpoints, &name).await?;
            dropped.push(name);
        }
    }
    Ok(dropped)
}

/// `verdict_<run>` of a database `verdict_<run>_<role>`; `None` for any other name.
fn owner(database: &str) -> Option<&str> {
    let run = database.strip_prefix("verdict_")?.split_once('_')?.0;
    let is_run = run.len() == 8 && run.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_run.then(|| &database[.."verdict_".len() + run.len()])
}

/// The names of all databases in either server that start with `verdict_`.
async fn both(endpoints: &Endpoints) -> Result<BTreeSet<String>, Error> {
    let mut connection = clone::admin(&endpoints.postgres).await?;
    // Only what this user made: another's would not be ours whatever its name.
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database WHERE datname LIKE 'verdict\\_%' AND datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(Error::refused("postgres", "list its databases"))?;
    clone::close(connection).await?;
    let mut all = clickhouse_copy::databases(&endpoints.clickhouse).await?;
    all.retain(|name| name.starts_with("verdict_"));
    all.extend(names);
    Ok(all)
}

async fn drop_both(endpoints: &Endpoints, name: &str) -> Result<(), Error> {
    clone::drop_database(&endpoints.postgres, name).await?;
    clickhouse_copy::drop_database(&endpoints.clickhouse, name).await
}

/// Names the variable when its server does not answer, and gives up in good time.
async fn unreachable<E: std::fmt::Display>(
    variable: &'static str,
    ping: impl Future<Output = Result<(), E>>,
) -> Result<(), Error> {
    let reason = match tokio::time::timeout(Duration::from_secs(10), ping).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer within 10 s".to_owned(),
    };
    Err(Error::Unreachable { variable, reason })
}

/// The value of a variable that external engines need.
pub(crate) fn variable(variable: &'static str) -> Result<String, Error> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or(Error::MissingVariable {
            mode: Mode::External,
            variable,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_runs_own_making_have_an_owner() {
        assert_eq!(owner("verdict_0a1b2c3d_trial"), Some("verdict_0a1b2c3d"));
        for other in [
            "verdict_world_smoke_1",
            "verdict_0a1b2c3d",
            "verdict_results_2025",
            "postgres",
            "verdict_0A1B2C3D_x",
        ] {
            assert_eq!(owner(other), None, "{other}");
        }
    }
}
