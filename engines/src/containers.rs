//! Engines in Docker containers, through testcontainers.
//!
//! Data is kept under `/verdict` in each container, which is no volume, so that committing a
//! stopped container keeps a world as an image. Each container carries the run's folder as a
//! label; the folder's lock tells whether the run lives, as in the embedded mode.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{ContainerConfig, PortBinding};
use testcontainers::bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateImageOptions, ListImagesOptionsBuilder, RemoveImageOptions,
};
use testcontainers::core::{ExecCommand, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

use crate::blocking::blocking;
use crate::docker::{docker, has_image, list, refused, remove};
use crate::endpoints::{Endpoints, Ports, USER, password};
use crate::folders::Lock;
use crate::heir::Heir;
use crate::keeper_handle::KeeperHandle;
use crate::options::Options;
use crate::protocol::Elsewhere;
use crate::settings::{self, Purpose};
use crate::{Error, folders};

/// The images, as name and tag: the same major versions as the packages.
pub(crate) const IMAGES: [(&str, &str); 3] = [
    ("postgres", "18"),
    ("clickhouse/clickhouse-server", "26.7"),
    ("valkey/valkey", "9"),
];
/// The images that hold sealed worlds; their tags are the worlds' names.
const WORLD_IMAGES: [&str; 2] = ["verdict-world-postgres", "verdict-world-clickhouse"];
/// The label with the folder of the run that owns a container.
const LABEL: &str = "verdict.run";
/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long an engine may take to write its data down and end, in seconds.
const STOP: i32 = 60;

/// Running containers, and the keeper that removes them if this process cannot.
#[derive(Debug)]
pub(crate) struct Containers {
    // Before the keeper, so that it finds nothing left to remove.
    running: Vec<ContainerAsync<GenericImage>>,
    keeper: KeeperHandle,
}

/// Starts the three engines, empty or from the images of a sealed world.
pub(crate) async fn start(
    options: &Options,
    run: &str,
    purpose: Purpose,
    world: Option<&str>,
) -> Result<(Containers, Endpoints), Error> {
    let docker = docker().await?;
    let runs = options.cache.join("runs");
    sweep(&docker, &runs).await?;
    let mut keeper = KeeperHandle::hold(&options.host, runs.join(run)).await?;
    let label = keeper.folder().display().to_string();
    keeper.clean_up(Elsewhere::Containers(format!("{LABEL}={label}")))?;
    let password = password();

    let (postgres, clickhouse, redis) = tokio::try_join!(
        run_image("postgres", postgres(&label, &password, purpose, world)),
        run_image("clickhouse", clickhouse(&label, &password, world)),
        run_image("redis", redis(&label, &password)),
    )?;
    let host = postgres
        .get_host()
        .await
        .map_err(refused("telling its address"))?
        .to_string();
    let ports = Ports {
        postgres: port(&postgres, 5432).await?,
        clickhouse: port(&clickhouse, 8123).await?,
        redis: port(&redis, 6379).await?,
    };
    let endpoints = Endpoints::local(&host, ports, &password)?;
    tokio::try_join!(
        ready("postgres", &postgres, async || {
            if world.is_some() {
                // The data has the password of the run that sealed it.
                let command = ExecCommand::new([
                    "psql",
                    "-qU",
                    USER,
                    "-d",
                    "postgres",
                    "-f",
                    "/verdict/password.sql",
                ]);
                postgres
                    .exec(command)
                    .await
                    .map_err(|error| error.to_string())?;
            }
            endpoints
                .ping_postgres()
                .await
                .map_err(|error| error.to_string())
        }),
        ready("clickhouse", &clickhouse, async || endpoints
            .ping_clickhouse()
            .await
            .map_err(|error| error.to_string())),
        ready("redis", &redis, async || endpoints
            .ping_redis()
            .await
            .map_err(|error| error.to_string())),
    )?;
    Ok((
        Containers {
            running: vec![postgres, clickhouse, redis],
            keeper,
        },
        endpoints,
    ))
}

impl Containers {
    /// Who does the keeper's work when it is gone.
    pub(crate) fn heir(&self) -> Heir {
        self.keeper.heir()
    }

    /// Stops the engines and commits their data as the images of the world `name`.
    pub(crate) async fn seal(self, name: &str) -> Result<(), Error> {
        let docker = docker().await?;
        // PostgreSQL's last: a world is whole once both images are there, and a builder that
        // ends in between leaves one that the next builder replaces.
        for (container, repository) in self.running.iter().zip(WORLD_IMAGES).rev() {
            container
                .stop_with_timeout(Some(STOP))
                .await
                .map_err(refused("stopping an engine"))?;
            let options = CommitContainerOptionsBuilder::new()
                .container(container.id())
                .repo(repository)
                .tag(name)
                .build();
            docker
                .commit_container(options, ContainerConfig::default())
                .await
                .map_err(refused("committing the world"))?;
        }
        self.end().await
    }

    /// Removes the containers.
    pub(crate) async fn end(self) -> Result<(), Error> {
        let Self {
            running,
            mut keeper,
        } = self;
        for container in running {
            container
                .rm()
                .await
                .map_err(refused("removing a container"))?;
        }
        blocking(move || keeper.end()).await
    }
}

/// Whether the images of the world `name` are there.
pub(crate) async fn has_world(name: &str) -> Result<bool, Error> {
    let docker = docker().await?;
    for repository in WORLD_IMAGES {
        if !has_image(&docker, repository, name).await {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a Docker daemon answers, and has or can get the images; else why not.
pub(crate) async fn available(options: &Options) -> Result<(), Error> {
    let docker = docker().await?;
    docker.ping().await.map_err(refused("answering"))?;
    for (name, tag) in IMAGES {
        if !has_image(&docker, name, tag).await {
            let bar = options.progress.add(indicatif::ProgressBar::new_spinner());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_message(format!("pulling {name}:{tag}"));
            let pulled = pull(&docker, name, tag).await;
            bar.finish_and_clear();
            pulled?;
        }
    }
    Ok(())
}

/// Whether a Docker daemon answers, and which images it has not got; pulls nothing.
pub(crate) async fn survey() -> Result<Vec<String>, Error> {
    let docker = docker().await?;
    docker.ping().await.map_err(refused("answering"))?;
    let mut absent = Vec::new();
    for (name, tag) in IMAGES {
        if !has_image(&docker, name, tag).await {
            absent.push(format!("{name}:{tag}"));
        }
    }
    Ok(absent)
}

async fn pull(docker: &Docker, name: &str, tag: &str) -> Result<(), Error> {
    use futures_util::TryStreamExt;
    let options = CreateImageOptions {
        from_image: Some(name.to_owned()),
        tag: Some(tag.to_owned()),
        ..CreateImageOptions::default()
    };
    let mut steps = docker.create_image(Some(options), None, None);
    while steps
        .try_next()
        .await
        .map_err(refused(format!("pulling {name}:{tag}")))?
        .is_some()
    {}
    Ok(())
}

/// Removes the images of sealed worlds and the containers of dead runs; returns how many
/// worlds.
pub(crate) async fn clean(options: &Options) -> Result<Vec<String>, Error> {
    let docker = docker().await?;
    sweep(&docker, &options.cache.join("runs")).await?;
    let filter = HashMap::from([("reference", WORLD_IMAGES.to_vec())]);
    let images = docker
        .list_images(Some(
            ListImagesOptionsBuilder::new().filters(&filter).build(),
        ))
        .await;
    let images = images.map_err(refused("listing images"))?;
    let mut removed = Vec::new();
    for tag in images.into_iter().flat_map(|image| image.repo_tags) {
        let (_, world) = tag.rsplit_once(':').unwrap_or_default();
        let path = world_lock(options, world);
        // Somebody seals it, or starts from it.
        let Some(lock) = blocking(move || Lock::attempt(&path)).await? else {
            continue;
        };
        let answer = docker.remove_image(&tag, None::<RemoveImageOptions>, None);
        match answer.await {
            Ok(_) => removed.push(tag),
            Err(DockerError::DockerResponseServerError {
                status_code: IN_USE,
                ..
            }) => {}
            Err(error) => return Err(refused("removing an image")(error)),
        }
        drop(lock);
    }
    Ok(removed)
}

/// What the lock of a world's images is named after.
pub(crate) fn world_lock(options: &Options, name: &str) -> PathBuf {
    let worlds = options.cache.join("worlds");
    worlds.join(format!("containers-{name}"))
}

/// What the daemon answers when a container still runs from an image.
const IN_USE: u16 = 409;

/// Removes the containers whose runs are dead. Runs of other machines that use the same
/// daemon have folders that are not under `runs`, and are left alone.
async fn sweep(docker: &Docker, runs: &Path) -> Result<(), Error> {
    for (id, labels) in list(docker, LABEL).await? {
        let Some(folder) = labels
            .get(LABEL)
            .map(PathBuf::from)
            .filter(|folder| folder.parent() == Some(runs))
        else {
            continue;
        };
        let Some(lock) = blocking({
            let folder = folder.clone();
            move || Lock::attempt(&folder)
        })
        .await?
        else {
            continue;
        };
        remove(docker, &id).await?;
        blocking(move || lock.remove(&folder)).await?;
    }
    let runs = runs.to_owned();
    blocking(move || folders::sweep(&runs)).await.map(drop)
}

/// What all three have in common: the label, and a port that only this machine reaches.
fn request(image: (&str, &str), port: u16, label: &str) -> ContainerRequest<GenericImage> {
    let container_port = format!("{port}/tcp");
    GenericImage::new(image.0, image.1)
        .with_exposed_port(port.tcp())
        .with_label(LABEL, label)
        .with_host_config_modifier(move |host| {
            let binding = PortBinding {
                host_ip: Some("127.0.0.1".to_owned()),
                host_port: None,
            };
            host.publish_all_ports = Some(false);
            host.port_bindings = Some(HashMap::from([(
                container_port.clone(),
                Some(vec![binding]),
            )]));
        })
}

fn postgres(
    label: &str,
    password: &str,
    purpose: Purpose,
    world: Option<&str>,
) -> ContainerRequest<GenericImage> {
    let image = world.map_or(IMAGES[0], |world| (WORLD_IMAGES[0], world));
    let mut command = vec!["postgres".to_owned()];
    for (name, value) in settings::postgres(purpose, settings::memory()) {
        command.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    request(image, 5432, label)
        .with_cmd(command)
        .with_env_var("PGDATA", "/verdict/postgres")
        .with_env_var("POSTGRES_USER", USER)
        .with_env_var("POSTGRES_DB", "postgres")
        .with_env_var("POSTGRES_PASSWORD_FILE", "/verdict/password")
        // As the embedded engine sorts.
        .with_env_var(
            "POSTGRES_INITDB_ARGS",
            "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C",
        )
        .with_copy_to("/verdict/password", password.as_bytes().to_vec())
        .with_copy_to(
            "/verdict/password.sql",
            format!("ALTER ROLE {USER} PASSWORD '{password}'").into_bytes(),
        )
        // Parallel queries exchange rows through it; Docker's 64 MB are too few.
        .with_shm_size(1 << 30)
}

fn clickhouse(label: &str, password: &str, world: Option<&str>) -> ContainerRequest<GenericImage> {
    let image = world.map_or(IMAGES[1], |world| (WORLD_IMAGES[1], world));
    let config = format!(
        "<clickhouse>\n  <path>/verdict/clickhouse/</path>\n  {}\n</clickhouse>\n",
        settings::clickhouse(settings::memory())
    );
    request(image, 8123, label)
        // The image's own setup of users would only be in the way of ours.
        .with_env_var("CLICKHOUSE_SKIP_USER_SETUP", "1")
        .with_copy_to(
            "/etc/clickhouse-server/config.d/verdict.xml",
            config.into_bytes(),
        )
        .with_copy_to(
            "/etc/clickhouse-server/users.d/verdict.xml",
            settings::clickhouse_users(password).into_bytes(),
        )
}

fn redis(label: &str, password: &str) -> ContainerRequest<GenericImage> {
    let mut config = format!("requirepass {password}\n");
    for (name, value) in settings::REDIS {
        config.push_str(&format!("{name} {value}\n"));
    }
    request(IMAGES[2], 6379, label)
        .with_cmd(["valkey-server", "/etc/verdict.conf"])
        .with_copy_to("/etc/verdict.conf", config.into_bytes())
}

async fn run_image(
    engine: &str,
    request: ContainerRequest<GenericImage>,
) -> Result<ContainerAsync<GenericImage>, Error> {
    request
        .start()
        .await
        .map_err(refused(format!("starting {engine}")))
}

async fn port(container: &ContainerAsync<GenericImage>, port: u16) -> Result<u16, Error> {
    container
        .get_host_port_ipv4(port.tcp())
        .await
        .map_err(refused("publishing a port"))
}

/// Waits until the engine answers, or its container has ended, or the time is up.
async fn ready(
    engine: &str,
    container: &ContainerAsync<GenericImage>,
    probe: impl AsyncFn() -> Result<(), String>,
) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Err(error) = probe().await else {
            return Ok(());
        };
        let running = container
            .is_running()
            .await
            .map_err(refused("telling whether an engine runs"))?;
        if !running || Instant::now() > deadline {
            let mut log = container.stdout_to_vec().await.unwrap_or_default();
            log.extend(container.stderr_to_vec().await.unwrap_or_default());
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            return Err(Error::EngineDied {
                engine: engine.to_owned(),
                what: if running {
                    format!("did not answer within {} s ({error})", PATIENCE.as_secs())
                } else {
                    "ended".to_owned()
                },
                log: lines[lines.len().saturating_sub(15)..].join("\n"),
            });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
