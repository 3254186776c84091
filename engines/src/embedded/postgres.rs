//! PostgreSQL from its package.

use std::path::Path;

use nix::sys::signal::Signal;

use super::setting::{PATIENCE, Setting};
use crate::blocking::blocking;
use crate::endpoints::USER;
use crate::keeper_handle::KeeperHandle;
use crate::protocol::Task;
use crate::{Error, folders, settings};

const ENGINE: &str = "postgres";

pub(super) async fn start(
    keeper: &KeeperHandle,
    setting: &Setting<'_>,
    port: u16,
) -> Result<(), Error> {
    let data = keeper.folder().join(ENGINE);
    // PostgreSQL refuses to be root.
    let unprivileged = nix::unistd::geteuid().is_root();
    let task = |name: &str, program: &str, args: Vec<String>, input: Option<String>| Task {
        name: name.to_owned(),
        program: setting.programs.postgres.join(program),
        args,
        input,
        log: keeper.log(name),
        // Its "fast" shutdown: ends sessions, writes a checkpoint.
        signal: Signal::SIGINT as i32,
        unprivileged,
    };
    let folder = data.display().to_string();

    match setting.world {
        Some(world) => {
            let (world, data) = (world.join(ENGINE), data.clone());
            blocking(move || folders::copy(&world, &data, &|_| false)).await?;
        }
        None => {
            let args = [
                "-D",
                &folder,
                "-U",
                USER,
                // Only until our own pg_hba.conf is there, and no server runs before that.
                "--auth=trust",
                "--encoding=UTF8",
                // The package has no ICU; the builtin provider sorts the same on every machine.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                // The world is synced as a whole when it is sealed.
                "--no-sync",
            ];
            keeper.start(task(
                "initdb",
                "initdb",
                args.map(str::to_owned).into(),
                None,
            ))?;
            keeper.success("initdb").await?;
        }
    }
    configure(&data, setting, port)?;

    // The run's password, given to the server before it listens to anyone.
    let name = "password";
    let args = ["--single", "-D", &folder, "postgres"].map(str::to_owned);
    let statement = format!("ALTER ROLE {USER} PASSWORD '{}'\n", setting.password);
    keeper.start(task(name, "postgres", args.into(), Some(statement)))?;
    keeper.success(name).await?;

    keeper.start(task(
        ENGINE,
        "postgres",
        vec!["-D".to_owned(), folder],
        None,
    ))?;
    keeper
        .ready(ENGINE, PATIENCE, async || {
            setting.endpoints.ping_postgres().await
        })
        .await
}

fn configure(data: &Path, setting: &Setting<'_>, port: u16) -> Result<(), Error> {
    use std::fmt::Write;
    let mut file =
        format!("listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n");
    for (name, value) in settings::postgres(setting.purpose, settings::memory()) {
        // Writing to a string cannot fail.
        let _ = writeln!(file, "{name} = '{value}'");
    }
    folders::write(&data.join("postgresql.conf"), &file)?;
    folders::write(
        &data.join("pg_hba.conf"),
        "host all all 127.0.0.1/32 scram-sha-256\n",
    )
}
