//! All three engines from their packages.

use std::path::Path;

use super::setting::Setting;
use super::{clickhouse, postgres, redis};
use crate::blocking::blocking;
use crate::endpoints::{Endpoints, Ports, password};
use crate::keeper_handle::KeeperHandle;
use crate::options::Options;
use crate::seal::{self, Depth};
use crate::settings::Purpose;
use crate::{Error, folders, packages};

/// The folders of a run that make up a world.
const WORLD_FOLDERS: [&str; 2] = ["postgres", "clickhouse"];

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
    let started = tokio::try_join!(
        postgres::start(&keeper, &setting, ports.postgres),
        clickhouse::start(&keeper, &setting, ports.clickhouse),
        redis::start(&keeper, &setting, ports.redis),
    );
    match started {
        Ok(_) => Ok((keeper, endpoints)),
        Err(error) => Err(explain(error, options, world).await),
    }
}

/// An engine that ends as it starts may do so because what it was started from is damaged.
async fn explain(error: Error, options: &Options, world: Option<&Path>) -> Error {
    if !matches!(error, Error::EngineDied { .. }) {
        return error;
    }
    let (cache, world) = (options.cache.clone(), world.map(Path::to_owned));
    let damaged = blocking(move || {
        let package = packages::remove_damaged(&cache)?;
        match (package, world) {
            (None, Some(path)) => {
                let words = remove_damaged(&path, Depth::Contents)?;
                Ok(words.map(|words| Error::Damaged {
                    what: "the world".to_owned(),
                    path,
                    words,
                }))
            }
            (package, _) => Ok(package),
        }
    });
    match damaged.await {
        Ok(Some(damaged)) => damaged,
        Ok(None) | Err(_) => error,
    }
}

/// Removes a sealed world that is not as it was sealed, and says what was wrong with it; `None`
/// for one that is whole. The caller has its lock. Blocks the thread.
pub(crate) fn remove_damaged(world: &Path, depth: Depth) -> Result<Option<String>, Error> {
    let damage = seal::damage(world, depth)?;
    if damage.is_some() {
        folders::remove(world)?;
    }
    Ok(damage)
}

/// Stops the engines and moves their data into `world`, which then is whole.
pub(crate) async fn seal(mut keeper: KeeperHandle, world: &Path) -> Result<(), Error> {
    keeper.stop_processes().await?;
    let world = world.to_owned();
    blocking(move || {
        let part = folders::part(&world);
        folders::remove(&part)?;
        folders::private(&part)?;
        for name in WORLD_FOLDERS {
            std::fs::rename(keeper.folder().join(name), part.join(name))
                .map_err(Error::io("sealing", &part))?;
        }
        seal::put(&part)?;
        // Loading wrote without fsync. Only what is on disk may get the name that counts.
        folders::sync(&part)?;
        std::fs::rename(&part, &world).map_err(Error::io("sealing", &world))?;
        keeper.end()
    })
    .await
}
