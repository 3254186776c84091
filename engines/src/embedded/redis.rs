//! Valkey, which speaks Redis, from its package.

use nix::sys::signal::Signal;

use super::setting::{PATIENCE, Setting};
use crate::keeper_handle::KeeperHandle;
use crate::protocol::Task;
use crate::{Error, quote, settings};

const ENGINE: &str = "redis";

pub(super) async fn start(
    keeper: &KeeperHandle,
    setting: &Setting<'_>,
    port: u16,
) -> Result<(), Error> {
    let mut config = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {}\ndir {}\n",
        setting.password,
        quote::redis(&keeper.folder().display().to_string())
    );
    for (name, value) in settings::REDIS {
        config.push_str(&format!("{name} {value}\n"));
    }
    keeper.start(Task {
        name: ENGINE.to_owned(),
        program: setting.programs.redis.clone(),
        // The configuration comes on standard input.
        args: vec!["-".to_owned()],
        input: Some(config),
        log: keeper.log(ENGINE),
        signal: Signal::SIGTERM as i32,
        unprivileged: false,
    })?;
    keeper
        .ready(ENGINE, PATIENCE, async || {
            setting.endpoints.ping_redis().await
        })
        .await
}
