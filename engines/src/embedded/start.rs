//! All three engines from their packages.

use std::path::Path;

use super::setting::Setting;
use super::{clickhouse, postgres, redis};
use crate::blocking::blocking;
use crate::endpoints::{Endpoints, Ports, password};
use crate::keeper_handle::KeeperHandle;
use crate::options::Options;
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
        for name in WORLD_FOLDERS {
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
