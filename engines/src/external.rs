//! Servers of the user's: Verdict makes databases of its own in them, and touches no others.
//!
//! Every database it makes is named `verdict_...`. A sealed world is `verdict_world_<key>` in
//! both servers; it is whole once the PostgreSQL one carries its [`roll`] as a comment. A run
//! works on copies named `verdict_<run>_...`, so two runs at once do not meet. A run holds a
//! session whose application name is `verdict_<run>`; copies without such a session are a
//! dead run's, and the next start drops them. Usually the run's keeper has done so.
//! In Redis, a side takes a numbered database that is empty ([`crate::redis_claim`]).

use std::time::Duration;

use indicatif::MultiProgress;
use sqlx::PgConnection;

use crate::blocking::blocking;
use crate::endpoints::Endpoints;
use crate::heir::Heir;
use crate::keeper_handle::KeeperHandle;
use crate::options::Options;
use crate::protocol::Elsewhere;
use crate::run_databases::{self, drop_both, drop_dead};
use crate::variables::VARIABLES;
use crate::{Error, clickhouse_copy, folders, names, postgres_copy, quote, roll, world};

/// A run on the user's servers; dropping it drops the run's databases.
#[derive(Debug)]
pub(crate) struct External {
    endpoints: Endpoints,
    run: String,
    /// Drops the databases, also if this process cannot.
    keeper: KeeperHandle,
    /// Says that the run lives, for as long as it is open.
    lease: PgConnection,
    progress: MultiProgress,
}

impl External {
    /// Connects to all three, and drops what dead runs left.
    pub(crate) async fn connect(options: &Options, run: &str) -> Result<Self, Error> {
        let mut endpoints = Endpoints::from_environment()?;
        let reached = endpoints.clone();
        unreachable(VARIABLES[0], reached.ping_postgres()).await?;
        unreachable(VARIABLES[1], reached.ping_clickhouse()).await?;
        unreachable(VARIABLES[2], reached.ping_redis()).await?;
        clickhouse_copy::in_utc(&reached.clickhouse).await?;
        endpoints.postgres = endpoints.postgres.application_name("verdict");
        let lease = postgres_copy::admin(
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
        let mut keeper = KeeperHandle::hold(&options.host, runs.join(run)).await?;
        keeper.clean_up(Elsewhere::Databases(run.to_owned()))?;
        Ok(Self {
            endpoints,
            run: run.to_owned(),
            keeper,
            lease,
            progress: options.progress.clone(),
        })
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Who does the keeper's work when it is gone.
    pub(crate) fn heir(&self) -> Heir {
        self.keeper.heir()
    }

    /// The run's own copy of the world `key`, which `build` fills if it is not there.
    /// `build` is given the name of an empty database.
    pub(crate) async fn world(
        &self,
        key: &str,
        build: impl AsyncFnOnce(&str) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let postgres = postgres_copy::version(&self.endpoints.postgres).await?;
        let clickhouse = clickhouse_copy::version(&self.endpoints.clickhouse).await?;
        let sealed = format!(
            "verdict_world_{}",
            world::name(key, &format!("{postgres}, {clickhouse}"))
        );
        // One builder at a time; its end, however it comes, lets go of the lock.
        let mut guard = postgres_copy::admin(&self.endpoints.postgres).await?;
        run_databases::lock(&mut guard, &sealed).await?;
        if !self.is_whole(&sealed).await? {
            self.drop_both(&sealed).await?;
            self.create(&sealed).await?;
            if let Err(error) = build(&sealed).await {
                // That error is the one to report; what is left is no world, and the next to
                // build one drops it.
                let _ = self.drop_both(&sealed).await;
                return Err(error);
            }
            let roll = self.roll(&sealed).await?;
            let seal = format!(
                "COMMENT ON DATABASE {} IS {}",
                quote::postgres(&sealed),
                quote::postgres_text(&roll)
            );
            postgres_copy::execute(&mut guard, seal).await?;
        }
        let own = self.own_world();
        postgres_copy::make(&self.endpoints.postgres, &own, &sealed).await?;
        clickhouse_copy::make(&self.endpoints.clickhouse, &own, &sealed).await?;
        postgres_copy::close(guard).await?;
        Ok(own)
    }

    /// An empty database for the run.
    pub(crate) async fn empty(&self) -> Result<String, Error> {
        let own = self.own_world();
        self.create(&own).await?;
        Ok(own)
    }

    fn own_world(&self) -> String {
        names::of_role(&self.run, "world")
    }

    /// Whether a world is there as it was sealed. What is wrong with one is said.
    async fn is_whole(&self, name: &str) -> Result<bool, Error> {
        let mut connection = postgres_copy::admin(&self.endpoints.postgres).await?;
        let comment: Option<String> = sqlx::query_scalar(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1",
        )
        .bind(name)
        .fetch_optional(&mut connection)
        .await
        .map_err(Error::refused("postgres", "look for the world"))?
        .flatten();
        postgres_copy::close(connection).await?;
        let Some(sealed) = comment.filter(|comment| roll::is_one(comment)) else {
            return Ok(false);
        };
        let databases = clickhouse_copy::databases(&self.endpoints.clickhouse).await?;
        let damage = if databases.contains(name) {
            roll::difference(&sealed, &self.roll(name).await?)
        } else {
            Some("it is not in ClickHouse any more".to_owned())
        };
        if let Some(words) = &damage {
            self.progress.suspend(|| {
                eprintln!(
                    "the world in the database {name} is damaged ({words}): it is built anew"
                );
            });
        }
        Ok(damage.is_none())
    }

    async fn roll(&self, name: &str) -> Result<String, Error> {
        roll::call(&self.endpoints.postgres, &self.endpoints.clickhouse, name).await
    }

    async fn create(&self, name: &str) -> Result<(), Error> {
        postgres_copy::create(&self.endpoints.postgres, name).await?;
        postgres_copy::count_work(&self.endpoints.postgres.clone().database(name)).await.map_err(|error| Error::Unreachable {
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
        postgres_copy::close(lease).await
    }
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
