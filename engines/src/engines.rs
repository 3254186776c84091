//! Three engines in use.

use std::collections::BTreeMap;
use std::path::Path;

use verdict_audit::evidence::EngineInfo;

use crate::blocking::blocking;
use crate::containers::{self, Containers};
use crate::endpoints::Endpoints;
use crate::external::External;
use crate::folders::Lock;
use crate::keeper_handle::KeeperHandle;
use crate::mode::Mode;
use crate::options::{Choice, Options};
use crate::sandbox::Sandbox;
use crate::sandboxes::Sandboxes;
use crate::seal::Depth;
use crate::settings::Purpose;
use crate::vigil::Vigil;
use crate::{Error, clickhouse_copy, embedded, info, packages, postgres_copy, variables, world};

/// PostgreSQL, ClickHouse and Redis, started or found, and this run's own.
///
/// Dropping the value stops what was started and removes its data, within a bounded time;
/// [`Engines::stop`] does the same and says what went wrong.
#[derive(Debug)]
pub struct Engines {
    backend: Backend,
    mode: Mode,
    endpoints: Endpoints,
    run: String,
    world: String,
    sandboxes: Sandboxes,
}

#[derive(Debug)]
enum Backend {
    Embedded(KeeperHandle),
    Containers(Containers),
    External(Box<External>),
    /// Somebody else's, for as long as a world is built in them.
    Borrowed,
}

impl Engines {
    /// Three engines with an empty world database each.
    ///
    /// # Errors
    /// When packages cannot be fetched, or an engine does not start or is not reachable.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        match choose(options).await? {
            Mode::Embedded => Self::embedded(options, Purpose::Measuring, None).await,
            Mode::Containers => Self::containers(options, Purpose::Measuring, None).await,
            Mode::External => {
                let run = run_id();
                let external = External::connect(options, &run).await?;
                let world = external.empty().await?;
                let endpoints = external.endpoints().clone();
                Ok(Self::of(
                    Backend::External(Box::new(external)),
                    Mode::External,
                    endpoints,
                    run,
                    world,
                ))
            }
        }
    }

    /// Three engines with the world `key` in them.
    ///
    /// A sealed world of that key is found again. Otherwise `build` is called with engines
    /// whose world database exists and is empty; engines of our own are set up for loading
    /// then (PostgreSQL with fsync off), as a half-built world is thrown away. What it leaves
    /// behind is sealed, and the engines start again, durable. Nothing else is ever taken for
    /// a world: not what a failed or interrupted `build` left. `build` must close its
    /// connections.
    ///
    /// # Errors
    /// As [`Engines::start`], and [`Error::Build`] with the error of `build`.
    pub async fn with_world<B>(options: &Options, key: &str, build: B) -> Result<Self, Error>
    where
        B: AsyncFnOnce(&Self) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    {
        let build = async |engines: &Self| {
            let vigil = engines.vigil();
            let built = tokio::select! {
                built = build(engines) => built.map_err(|source| Error::Build {
                    key: key.to_owned(),
                    source,
                }),
                death = vigil.until_death(&options.progress) => Err(Error::Dead(death)),
            };
            if let (Err(_), Backend::Embedded(keeper)) = (&built, &engines.backend) {
                keeper.disk_has_room()?;
            }
            built
        };
        match choose(options).await? {
            Mode::Embedded => {
                let versions = packages::pinned()?.map(packages::Package::title).join(", ");
                let folder = options
                    .cache
                    .join("worlds")
                    .join(world::name(key, &versions));
                let _lock = wait(&folder).await?;
                if folder.is_dir() {
                    let kept = folder.clone();
                    let look = move || embedded::remove_damaged(&kept, Depth::Shape);
                    if let Some(words) = blocking(look).await? {
                        options.progress.suspend(|| {
                            eprintln!(
                                "the world kept in {} is damaged ({words}): it is built anew",
                                folder.display()
                            );
                        });
                    }
                }
                if !folder.is_dir() {
                    let loading = Self::embedded(options, Purpose::Loading, None).await?;
                    build(&loading).await?;
                    if let Backend::Embedded(keeper) = loading.backend {
                        embedded::seal(keeper, &folder).await?;
                    }
                }
                Self::embedded(options, Purpose::Measuring, Some(&folder)).await
            }
            Mode::Containers => {
                let images = containers::IMAGES
                    .map(|(name, tag)| format!("{name}:{tag}"))
                    .join(", ");
                let name = world::name(key, &images);
                let _lock = wait(&containers::world_lock(options, &name)).await?;
                if !containers::has_world(&name).await? {
                    let loading = Self::containers(options, Purpose::Loading, None).await?;
                    build(&loading).await?;
                    if let Backend::Containers(running) = loading.backend {
                        running.seal(&name).await?;
                    }
                }
                Self::containers(options, Purpose::Measuring, Some(&name)).await
            }
            Mode::External => {
                let run = run_id();
                let external = External::connect(options, &run).await?;
                let endpoints = external.endpoints().clone();
                let world = external
                    .world(key, async |database: &str| {
                        let (endpoints, run, world) =
                            (endpoints.clone(), run.clone(), database.to_owned());
                        build(&Self::of(
                            Backend::Borrowed,
                            Mode::External,
                            endpoints,
                            run,
                            world,
                        ))
                        .await
                    })
                    .await?;
                Ok(Self::of(
                    Backend::External(Box::new(external)),
                    Mode::External,
                    endpoints,
                    run,
                    world,
                ))
            }
        }
    }

    async fn embedded(
        options: &Options,
        purpose: Purpose,
        sealed: Option<&Path>,
    ) -> Result<Self, Error> {
        let run = run_id();
        let (keeper, endpoints) = embedded::start(options, &run, purpose, sealed).await?;
        Self::of_our_own(
            Backend::Embedded(keeper),
            Mode::Embedded,
            endpoints,
            run,
            sealed.is_some(),
        )
        .await
    }

    async fn containers(
        options: &Options,
        purpose: Purpose,
        sealed: Option<&str>,
    ) -> Result<Self, Error> {
        let run = run_id();
        let (containers, endpoints) = containers::start(options, &run, purpose, sealed).await?;
        Self::of_our_own(
            Backend::Containers(containers),
            Mode::Containers,
            endpoints,
            run,
            sealed.is_some(),
        )
        .await
    }

    async fn of_our_own(
        backend: Backend,
        mode: Mode,
        endpoints: Endpoints,
        run: String,
        sealed: bool,
    ) -> Result<Self, Error> {
        let engines = Self::of(backend, mode, endpoints, run, world::DATABASE.to_owned());
        if !sealed {
            engines.create_world().await?;
        }
        Ok(engines)
    }

    fn of(backend: Backend, mode: Mode, endpoints: Endpoints, run: String, world: String) -> Self {
        Self {
            sandboxes: Sandboxes::new(mode, endpoints.clone(), &run, &world),
            backend,
            mode,
            endpoints,
            run,
            world,
        }
    }

    /// Makes the empty world, with the extension that counts PostgreSQL's work in it and in
    /// whatever database is made later.
    async fn create_world(&self) -> Result<(), Error> {
        let postgres = &self.endpoints.postgres;
        postgres_copy::count_work(postgres).await?;
        postgres_copy::count_work(&postgres.clone().database("template1")).await?;
        postgres_copy::create(postgres, &self.world).await?;
        clickhouse_copy::create(&self.endpoints.clickhouse, &self.world).await
    }

    /// Where the engines came from.
    pub fn mode(&self) -> Mode {
        self.mode
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

    /// Makes databases of its own for a role such as `baseline`, in the place of an earlier
    /// side for that role: copies of the world in PostgreSQL and in ClickHouse, and an empty
    /// Redis database. The copy takes no room in ClickHouse, where files are shared, and as
    /// much as the world in PostgreSQL. Nobody may be connected to the PostgreSQL world
    /// meanwhile, and sessions on an earlier side for that role are ended.
    ///
    /// On a server of the user's, the Redis database holds one key, `verdict:run`, by which it
    /// is known as this run's: whoever flushes it must use [`Engines::renew_redis`].
    ///
    /// # Errors
    /// When an engine refuses: somebody is connected to the world, the disk is full, or the
    /// user's Redis has no empty database.
    pub async fn sandbox(&self, role: &str) -> Result<Sandbox, Error> {
        self.sandboxes.make(role).await
    }

    /// Drops the databases for a role, with any sessions on them; none is no error. Without
    /// it they go with the run.
    ///
    /// # Errors
    /// When an engine refuses, or the Redis database no longer has this run's key.
    pub async fn drop_sandbox(&self, role: &str) -> Result<(), Error> {
        self.sandboxes.drop(role).await
    }

    /// Gives a side a part of the world, in a ClickHouse database of its own beside the side's: of
    /// the tables that are named the rows that meet a condition, of all others every row. A part
    /// of a name is cut once in a run. The name of the database.
    ///
    /// # Errors
    /// When there is no such side, or ClickHouse refuses.
    pub async fn cut(
        &self,
        role: &str,
        part: &str,
        rows: &BTreeMap<&str, String>,
    ) -> Result<String, Error> {
        self.sandboxes.cut(role, part, rows).await
    }

    /// Takes a side's parts of the world away.
    ///
    /// # Errors
    /// When ClickHouse refuses.
    pub async fn uncut(&self, role: &str) -> Result<(), Error> {
        self.sandboxes.uncut(role).await
    }

    /// Makes a side's PostgreSQL database again as the world has it. Sessions on it are
    /// ended, so a pool on it must be opened anew.
    ///
    /// # Errors
    /// When there is no such side, or PostgreSQL refuses.
    pub async fn renew_postgres(&self, role: &str) -> Result<(), Error> {
        self.sandboxes.renew_postgres(role).await
    }

    /// Makes tables (or views) of a side's ClickHouse database, and of its parts, again as the
    /// world has them; one that the world does not have is dropped. What reads them by name goes on to.
    ///
    /// # Errors
    /// When there is no such side, or ClickHouse refuses.
    pub async fn renew_clickhouse(&self, role: &str, tables: &[&str]) -> Result<(), Error> {
        self.sandboxes.renew_clickhouse(role, tables).await
    }

    /// Empties a side's Redis database.
    ///
    /// # Errors
    /// When there is no such side, Redis refuses, or the database no longer has this run's
    /// key, and so may be somebody else's by now.
    pub async fn renew_redis(&self, role: &str) -> Result<(), Error> {
        self.sandboxes.renew_redis(role).await
    }

    /// Watches over the engines, from outside and for as long as it is asked to.
    pub fn vigil(&self) -> Vigil {
        let keeper = match &self.backend {
            Backend::Embedded(keeper) => Some(keeper.heir()),
            Backend::Containers(containers) => Some(containers.heir()),
            Backend::External(external) => Some(external.heir()),
            Backend::Borrowed => None,
        };
        Vigil::new(self.endpoints.clone(), keeper)
    }

    /// Each engine's version and the settings that decide its speed and durability, as it
    /// answers itself. No secrets.
    ///
    /// # Errors
    /// When an engine does not answer.
    pub async fn info(&self) -> Result<Vec<EngineInfo>, Error> {
        info::of(&self.endpoints, self.mode).await
    }

    /// Stops what was started and removes its data.
    ///
    /// # Errors
    /// When something of it is left; the next start sweeps it up.
    pub async fn stop(self) -> Result<(), Error> {
        match self.backend {
            Backend::Embedded(mut keeper) => blocking(move || keeper.end()).await,
            Backend::Containers(containers) => containers.end().await,
            Backend::External(external) => external.end().await,
            Backend::Borrowed => Ok(()),
        }
    }
}

/// The lock of a sealed world, held until the run has its copy: a second builder waits and
/// then finds the world, and nobody removes it from under the copy.
async fn wait(folder: &Path) -> Result<Lock, Error> {
    let folder = folder.to_owned();
    blocking(move || Lock::wait(&folder)).await
}

/// Which engines an [`Options::choice`] comes to on this machine.
pub(crate) async fn choose(options: &Options) -> Result<Mode, Error> {
    Ok(match options.choice {
        Choice::Embedded => Mode::Embedded,
        Choice::Containers => Mode::Containers,
        Choice::External => Mode::External,
        Choice::Auto if variables::all_set() => Mode::External,
        Choice::Auto if containers::available(options).await.is_ok() => Mode::Containers,
        Choice::Auto => Mode::Embedded,
    })
}

fn run_id() -> String {
    format!("{:08x}", rand::random::<u32>())
}
