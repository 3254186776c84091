//! Three engines in use.

use std::path::Path;

use verdict_audit::evidence::EngineInfo;

use crate::embedded::{self, blocking};
use crate::endpoints::Endpoints;
use crate::folders::Lock;
use crate::keeper_handle::KeeperHandle;
use crate::options::{Choice, Mode, Options};
use crate::settings::Purpose;
use crate::{Error, clone, packages, world};

/// PostgreSQL, ClickHouse and Redis, started or found, and this run's own.
///
/// Dropping the value stops what was started and removes its data, within a bounded time;
/// [`Engines::stop`] does the same and says what went wrong.
#[derive(Debug)]
pub struct Engines {
    backend: Backend,
    endpoints: Endpoints,
    run: String,
    world: String,
}

#[derive(Debug)]
enum Backend {
    Embedded(KeeperHandle),
}

impl Engines {
    /// Three engines with an empty world database each.
    ///
    /// # Errors
    /// When packages cannot be fetched, or an engine does not start or is not reachable.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        match choose(options).await? {
            Mode::Embedded => Self::start_embedded(options, Purpose::Measuring, None).await,
            Mode::Containers | Mode::External => todo!(),
        }
    }

    /// Three engines with the world `key` in them.
    ///
    /// A sealed world of that key is found again. Otherwise `build` is called with engines
    /// whose world database exists and is empty, set up for loading (not durable: PostgreSQL
    /// with fsync off); what it leaves behind is sealed. Nothing else is ever taken for a world: not what a failed
    /// or interrupted `build` left.
    ///
    /// # Errors
    /// As [`Engines::start`], and [`Error::Build`] with the error of `build`.
    pub async fn with_world<B>(options: &Options, key: &str, build: B) -> Result<Self, Error>
    where
        B: AsyncFnOnce(&Self) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    {
        match choose(options).await? {
            Mode::Embedded => Self::embedded_with_world(options, key, build).await,
            Mode::Containers | Mode::External => todo!(),
        }
    }

    async fn embedded_with_world<B>(options: &Options, key: &str, build: B) -> Result<Self, Error>
    where
        B: AsyncFnOnce(&Self) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    {
        let versions = packages::pinned()?.map(packages::Package::title).join(", ");
        let folder = options
            .cache
            .join("worlds")
            .join(world::name(key, &versions));
        // Held until the world is copied: a second builder waits and then finds it, and
        // nobody removes it from under the copy.
        let _lock = {
            let folder = folder.clone();
            blocking(move || Lock::wait(&folder)).await?
        };
        if !folder.is_dir() {
            let loading = Self::start_embedded(options, Purpose::Loading, None).await?;
            build(&loading).await.map_err(|source| Error::Build {
                key: key.to_owned(),
                source,
            })?;
            let Backend::Embedded(keeper) = loading.backend;
            embedded::seal(keeper, &folder).await?;
        }
        Self::start_embedded(options, Purpose::Measuring, Some(&folder)).await
    }

    async fn start_embedded(
        options: &Options,
        purpose: Purpose,
        sealed: Option<&Path>,
    ) -> Result<Self, Error> {
        let run = run_id();
        let (keeper, endpoints) = embedded::start(options, &run, purpose, sealed).await?;
        if sealed.is_none() {
            create(&endpoints, world::DATABASE).await?;
        }
        Ok(Self {
            backend: Backend::Embedded(keeper),
            endpoints,
            run,
            world: world::DATABASE.to_owned(),
        })
    }

    /// Where the engines came from.
    pub fn mode(&self) -> Mode {
        match self.backend {
            Backend::Embedded(_) => Mode::Embedded,
        }
    }

    /// Unique per run; eight hexadecimal digits.
    pub fn run_id(&self) -> &str {
        &self.run
    }

    /// The name of the world's database, the same in PostgreSQL and in ClickHouse.
    pub fn world(&self) -> &str {
        &self.world
    }

    /// How to connect to a PostgreSQL database.
    pub fn postgres(&self, database: &str) -> sqlx::postgres::PgConnectOptions {
        self.endpoints.postgres.clone().database(database)
    }

    /// A client for a ClickHouse database.
    pub fn clickhouse(&self, database: &str) -> clickhouse::Client {
        self.endpoints.clickhouse.clone().with_database(database)
    }

    /// A client for Redis; it connects on use.
    pub fn redis(&self) -> redis::Client {
        self.endpoints.redis.clone()
    }

    /// Copies the world's PostgreSQL database for a role such as `baseline`, in the place of
    /// an earlier copy for that role, and returns the name of the copy. Nobody may be
    /// connected to the world meanwhile.
    ///
    /// # Errors
    /// When PostgreSQL refuses: somebody is connected to the world, or the disk is full.
    pub async fn clone_world(&self, role: &str) -> Result<String, Error> {
        let name = clone::name(&self.run, role);
        clone::make(&self.endpoints.postgres, &name, &self.world).await?;
        Ok(name)
    }

    /// Drops the copy for a role, with any sessions on it; none is no error.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn drop_clone(&self, role: &str) -> Result<(), Error> {
        clone::drop_database(&self.endpoints.postgres, &clone::name(&self.run, role)).await
    }

    /// Each engine's version and the settings that decide its speed and durability, as it
    /// answers itself. No secrets.
    ///
    /// # Errors
    /// When an engine does not answer.
    pub async fn info(&self) -> Result<Vec<EngineInfo>, Error> {
        crate::info::of(&self.endpoints, self.mode()).await
    }

    /// Stops what was started and removes its data.
    ///
    /// # Errors
    /// When something of it is left; the next start sweeps it up.
    pub async fn stop(self) -> Result<(), Error> {
        match self.backend {
            Backend::Embedded(mut keeper) => blocking(move || keeper.end()).await,
        }
    }
}

/// Which engines an [`Options::choice`] comes to on this machine.
async fn choose(options: &Options) -> Result<Mode, Error> {
    Ok(match options.choice {
        Choice::Embedded | Choice::Auto => Mode::Embedded,
        Choice::Containers => Mode::Containers,
        Choice::External => Mode::External,
    })
}

/// Makes an empty database in both engines, with the extension that counts PostgreSQL's work
/// in it and in whatever is made later.
async fn create(endpoints: &Endpoints, name: &str) -> Result<(), Error> {
    use sqlx::ConnectOptions;
    let template = endpoints.postgres.clone().database("template1");
    let mut connection = template
        .connect()
        .await
        .map_err(Error::refused("postgres", "let Verdict in"))?;
    clone::execute(
        &mut connection,
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements".to_owned(),
    )
    .await?;
    clone::close(connection).await?;
    let mut connection = clone::admin(&endpoints.postgres).await?;
    clone::execute(
        &mut connection,
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements".to_owned(),
    )
    .await?;
    clone::execute(&mut connection, format!("CREATE DATABASE {name}")).await?;
    clone::close(connection).await?;
    let statement = format!("CREATE DATABASE {name}");
    endpoints
        .clickhouse
        .query(&statement)
        .execute()
        .await
        .map_err(Error::refused("clickhouse", statement))
}

fn run_id() -> String {
    format!("{:08x}", rand::random::<u32>())
}
