//! ClickHouse from its package: the library, hosted by a process of `verdict`.

use std::path::Path;

use nix::sys::signal::Signal;

use super::setting::{PATIENCE, Setting};
use crate::blocking::blocking;
use crate::commands::CLICKHOUSE_HOST;
use crate::keeper_handle::KeeperHandle;
use crate::protocol::Task;
use crate::{Error, folders, quote, settings};

const ENGINE: &str = "clickhouse";

pub(super) async fn start(
    keeper: &KeeperHandle,
    setting: &Setting<'_>,
    port: u16,
) -> Result<(), Error> {
    let data = keeper.folder().join(ENGINE);
    if let Some(world) = setting.world {
        let (world, data) = (world.join(ENGINE), data.clone());
        blocking(move || {
            folders::copy(&world, &data, &is_immutable)?;
            // The logs of whoever built the world; the engine trips over them.
            folders::remove(&data.join("data/system"))
        })
        .await?;
    }
    folders::private(&data)?;
    let config = keeper.folder().join("clickhouse.xml");
    let users = keeper.folder().join("clickhouse-users.xml");
    folders::write(&users, &settings::clickhouse_users(setting.password))?;
    folders::write(
        &config,
        &format!(
            "<clickhouse>
  <path>{data}/</path>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{port}</http_port>
  <users_config>{users}</users_config>
  {handlers}
  {settings}
</clickhouse>
",
            data = quote::xml(&data.display().to_string()),
            users = quote::xml(&users.display().to_string()),
            handlers = settings::clickhouse_handlers(),
            settings = settings::clickhouse(settings::memory()),
        ),
    )?;
    keeper.start(Task {
        name: ENGINE.to_owned(),
        program: setting.host.to_owned(),
        args: vec![
            CLICKHOUSE_HOST.to_owned(),
            setting.programs.clickhouse.display().to_string(),
            config.display().to_string(),
        ],
        input: None,
        log: keeper.log(ENGINE),
        signal: Signal::SIGTERM as i32,
        unprivileged: false,
    })?;
    keeper
        .ready(ENGINE, PATIENCE, async || {
            setting.endpoints.ping_clickhouse().await
        })
        .await
}

/// Whether a file is the data or an index of a part. Parts are never rewritten: a merge or a
/// mutation writes a new one, so a hard link to such a file is as good as a copy.
fn is_immutable(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    path.components().any(|part| part.as_os_str() == "store")
        && (matches!(extension, "bin" | "idx" | "cidx")
            || extension.starts_with("mrk")
            || extension.starts_with("cmrk"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_data_of_parts_is_shared_with_the_sealed_world() {
        assert!(is_immutable(Path::new(
            "w/store/8f1/8f1c/all_1_1_0/data.bin"
        )));
        assert!(is_immutable(Path::new(
            "w/store/8f1/8f1c/all_1_1_0/primary.cidx"
        )));
        assert!(!is_immutable(Path::new(
            "w/store/8f1/8f1c/all_1_1_0/txn_version.txt"
        )));
        assert!(!is_immutable(Path::new(
            "w/metadata/verdict_world/posts_cdc.sql"
        )));
    }
}
