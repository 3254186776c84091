//! Engines from packages, run as processes of our own under a keeper.

mod clickhouse;
mod postgres;
mod redis;

use std::path::Path;
use std::time::Duration;

use crate::endpoints::{Endpoints, Ports, password};
use crate::keeper_handle::KeeperHandle;
use crate::options::Options;
use crate::packages::{self, Programs};
use crate::settings::Purpose;
use crate::{Error, folders};

/// How long an engine may take to answer: far more than any was seen to need, for a machine
/// that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// The folders of a run that make up a world.
pub(super) const WORLD: [&str; 2] = ["postgres", "clickhouse"];

/// What the start of one engine needs to know.
struct Setting<'a> {
    programs: &'a Programs,
    host: &'a Path,
    endpoints: &'a Endpoints,
    password: &'a str,
    purpose: Purpose,
    /// The sealed world to start on a copy of.
    world: Option<&'a Path>,
}

/// Starts the three engines, empty or on a copy of the sealed world in a folder.
pub(crate) async fn start(
    options: &Options,
    run: &str,
    purpose: Purpose,
    world: Option<&Path>,
) -> Result<(KeeperHandle, Endpoints), Error> {
    let (cache, progress) = (options.cache.clone(), options.progress.clone());
    let programs = blocking(move || {
        let programs = packages::programs(&cache, &progress)?;
        folders::sweep(&cache.join("runs"))?;
        Ok(programs)
    })
    .await?;
    let keeper = KeeperHandle::hold(&options.host, options.cache.join("runs").join(run)).await?;
    let (ports, password) = (Ports::free()?, password());
    let endpoints = Endpoints::local("127.0.0.1", ports, &password)?;
    let setting = Setting {
        programs: &programs,
        host: &options.host,
        endpoints: &endpoints,
        password: &password,
        purpose,
        world,
    };
    tokio::try_join!(
        postgres::start(&keeper, &setting, ports.postgres),
        clickhouse::start(&keeper, &setting, ports.clickhouse),
        redis::start(&keeper, &setting, ports.redis),
    )?;
    Ok((keeper, endpoints))
}

/// Stops the engines and moves their data into `world`, which then is whole.
pub(crate) async fn seal(mut keeper: KeeperHandle, world: &Path) -> Result<(), Error> {
    keeper.stop_processes().await?;
    let world = world.to_owned();
    blocking(move || {
        let part = world.with_extension("part");
        folders::remove(&part)?;
        folders::private(&part)?;
        for name in WORLD {
            std::fs::rename(keeper.folder().join(name), part.join(name))
                .map_err(Error::io("sealing", &part))?;
        }
        // Loading wrote without fsync. Only what is on disk may get the name that counts.
        folders::sync(&part)?;
        std::fs::rename(&part, &world).map_err(Error::io("sealing", &world))?;
        keeper.end()
    })
    .await
}

/// Runs what blocks away from the threads that serve others.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(Error::Keeper {
                what: format!("was not waited for: {error}"),
            }),
        },
    }
}
