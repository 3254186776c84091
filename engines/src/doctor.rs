//! What engines this machine would get, why, and what is missing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::blocking::blocking;
use crate::commands::{LAUNCH, NAMESPACE};
use crate::endpoints::Endpoints;
use crate::mode::Mode;
use crate::options::{Choice, Options};
use crate::packages::{self, Client, Package};
use crate::seal::{self, Depth};
use crate::variables::VARIABLES;
use crate::{Error, clickhouse_copy, containers, folders, postgres_copy, settings, variables};

/// A diagnosis: which engines would be used, why, and one check per thing that they need.
#[derive(Debug, Clone)]
pub struct Doctor {
    /// What was asked for.
    pub choice: Choice,
    /// What that comes to.
    pub mode: Mode,
    /// Why.
    pub why: String,
    /// The cache folder.
    pub cache: PathBuf,
    /// What was looked at, mode by mode.
    pub checks: Vec<Check>,
}

/// One thing that engines need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The mode that needs it.
    pub mode: Mode,
    /// What it is.
    pub subject: String,
    /// What was found: a version, a number, or what is wrong.
    pub found: String,
    /// The command or the step that mends it; `None` if nothing is wrong.
    pub remedy: Option<String>,
}

impl Doctor {
    /// Whether the chosen engines lack nothing.
    pub fn is_ready(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.mode != self.mode || check.remedy.is_none())
    }
}

impl fmt::Display for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "engines: {} ({})", self.mode, self.why)?;
        writeln!(f, "cache:   {}", self.cache.display())?;
        for mode in [Mode::External, Mode::Containers, Mode::Embedded] {
            writeln!(
                f,
                "\n{mode}{}",
                if mode == self.mode {
                    ", the ones in use"
                } else {
                    ""
                }
            )?;
            for check in self.checks.iter().filter(|check| check.mode == mode) {
                let mark = if check.remedy.is_some() {
                    "missing"
                } else {
                    "ok"
                };
                writeln!(f, "  {mark:7}  {}: {}", check.subject, check.found)?;
                if let Some(remedy) = &check.remedy {
                    writeln!(f, "           -> {remedy}")?;
                }
            }
        }
        let end = if self.is_ready() {
            "ready"
        } else {
            "not ready: mend what is missing above"
        };
        write!(f, "\n{end}")
    }
}

/// Examines the machine. Fetches and pulls nothing, and starts nothing that stays. With `worlds`
/// every kept world is read whole.
pub async fn doctor(options: &Options, worlds: bool) -> Doctor {
    let mut checks = external_checks().await;
    checks.extend(containers_checks().await);
    let (cache, host) = (options.cache.clone(), options.host.clone());
    let embedded = move || {
        let mut checks = embedded_checks(&cache, &host);
        if worlds {
            checks.extend(world_checks(&cache));
        }
        Ok(checks)
    };
    if let Ok(found) = blocking(embedded).await {
        checks.extend(found);
    }
    let set = variables::all_set();
    let docker = checks
        .iter()
        .all(|check| check.mode != Mode::Containers || check.remedy.is_none());
    let (mode, why) = match options.choice {
        Choice::Embedded => (Mode::Embedded, "as asked for"),
        Choice::Containers => (Mode::Containers, "as asked for"),
        Choice::External => (Mode::External, "as asked for"),
        Choice::Auto if set => (
            Mode::External,
            "DATABASE_URL, CLICKHOUSE_URL and REDIS_URL are set",
        ),
        Choice::Auto if docker => (
            Mode::Containers,
            "a Docker daemon answers and has the images",
        ),
        Choice::Auto => (
            Mode::Embedded,
            "the three URLs are not set, and Docker is not there or has to pull images first; if it can, a run uses containers",
        ),
    };
    Doctor {
        choice: options.choice,
        mode,
        why: why.to_owned(),
        cache: options.cache.clone(),
        checks,
    }
}

fn good(mode: Mode, subject: impl Into<String>, found: impl Into<String>) -> Check {
    Check {
        mode,
        subject: subject.into(),
        found: found.into(),
        remedy: None,
    }
}

fn bad(
    mode: Mode,
    subject: impl Into<String>,
    found: impl Into<String>,
    remedy: impl Into<String>,
) -> Check {
    Check {
        mode,
        subject: subject.into(),
        found: found.into(),
        remedy: Some(remedy.into()),
    }
}

async fn external_checks() -> Vec<Check> {
    let mode = Mode::External;
    let unset: Vec<Check> = VARIABLES
        .iter()
        .filter(|name| variables::variable(name).is_err())
        .map(|name| bad(mode, *name, "not set", format!("export {name}=...")))
        .collect();
    if !unset.is_empty() {
        return unset;
    }
    let endpoints = match Endpoints::from_environment() {
        Ok(endpoints) => endpoints,
        Err(error) => {
            return vec![bad(
                mode,
                "URLs",
                error.to_string(),
                "set the variable again",
            )];
        }
    };
    let answers = [
        postgres_copy::version(&endpoints.postgres).await,
        clickhouse_in_utc(&endpoints.clickhouse).await,
        endpoints
            .ping_redis()
            .await
            .map(|()| "answers".to_owned())
            .map_err(Error::refused("redis", "answer")),
    ];
    VARIABLES
        .iter()
        .zip(answers)
        .map(|(name, answer)| match answer {
            Ok(version) => good(mode, *name, version),
            Err(error) => bad(
                mode,
                *name,
                error.to_string(),
                "start the server, or correct the URL",
            ),
        })
        .collect()
}

async fn clickhouse_in_utc(client: &clickhouse::Client) -> Result<String, Error> {
    let version = clickhouse_copy::version(client).await?;
    clickhouse_copy::in_utc(client).await?;
    Ok(version)
}

async fn containers_checks() -> Vec<Check> {
    let mode = Mode::Containers;
    match containers::survey().await {
        Err(error) => vec![bad(
            mode,
            "Docker",
            error.to_string(),
            "start the Docker daemon, or set DOCKER_HOST",
        )],
        Ok(absent) => containers::IMAGES
            .iter()
            .map(|(name, tag)| format!("{name}:{tag}"))
            .map(|image| match absent.contains(&image) {
                true => bad(mode, &image, "not here", format!("docker pull {image}")),
                false => good(mode, &image, "here"),
            })
            .collect(),
    }
}

fn embedded_checks(cache: &Path, host: &Path) -> Vec<Check> {
    let mode = Mode::Embedded;
    let mut checks = Vec::new();
    match packages::pinned() {
        Err(error) => checks.push(bad(
            mode,
            "packages",
            error.to_string(),
            "use --engines containers or external",
        )),
        Ok(pinned) => {
            checks.extend(
                pinned
                    .iter()
                    .map(|package| package_check(package, cache, host)),
            );
            let missing = |client| {
                pinned.iter().any(|package| {
                    let damage = package.damage(cache, Depth::Shape);
                    package.client == client && !matches!(damage, Ok(None))
                })
            };
            if missing(Client::Pip) {
                checks.push(tool(
                    "python3",
                    &["-m", "pip", "--version"],
                    "apt-get install python3-pip",
                ));
            }
            if missing(Client::Npm) {
                checks.push(tool("npm", &["--version"], "apt-get install npm"));
            }
        }
    }
    checks.push(
        match folders::private(cache).and_then(|()| {
            folders::Lock::wait(&cache.join("doctor"))?.remove(&cache.join("doctor"))
        }) {
            Ok(()) => good(mode, "cache folder", "can be written"),
            Err(error) => bad(
                mode,
                "cache folder",
                error.to_string(),
                "export VERDICT_CACHE=/a/folder/of/yours",
            ),
        },
    );
    if nix::unistd::geteuid().is_root() {
        checks.push(namespace_check(host));
    }
    checks.push(good(
        mode,
        "memory",
        format!("{} MB", settings::memory() >> 20),
    ));
    checks
}

/// A package that is there is read whole, and its engine is run.
fn package_check(package: &Package, cache: &Path, host: &Path) -> Check {
    let mode = Mode::Embedded;
    if !package.folder(cache).is_dir() {
        let megabytes = package.size / 1_000_000;
        let found = format!("will be fetched by the first run ({megabytes} MB)");
        return good(mode, package.title(), found);
    }
    let anew = format!("rm -r '{}'", package.folder(cache).display());
    match package.damage(cache, Depth::Contents) {
        Ok(None) => {}
        Ok(Some(words)) => {
            let remedy = format!("{anew}  (the next run fetches it again)");
            return bad(mode, package.title(), format!("damaged: {words}"), remedy);
        }
        Err(error) => return bad(mode, package.title(), error.to_string(), anew),
    }
    let output = package.trial(cache, host).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => {
            good(mode, package.title(), "fetched, verified, and it runs")
        }
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            let last = words.lines().last().unwrap_or_default();
            let found = format!("does not run: {} {last}", output.status);
            bad(
                mode,
                package.title(),
                found,
                "see what the loader lacks: `ldd` of its program",
            )
        }
        Err(error) => bad(mode, package.title(), error.to_string(), anew),
    }
}

/// The worlds that are kept, each read whole.
fn world_checks(cache: &Path) -> Vec<Check> {
    let worlds = cache.join("worlds");
    let names = folders::names(&worlds).unwrap_or_default();
    let kept = names.iter().map(|name| worlds.join(name));
    kept.filter(|world| world.is_dir() && folders::whole(world).is_none())
        .map(|world| {
            let name = world.file_name().unwrap_or_default().to_string_lossy();
            let subject = format!("world {name}");
            match seal::damage(&world, Depth::Contents) {
                Ok(None) => {
                    let megabytes = folders::size(&world) / 1_000_000;
                    good(Mode::Embedded, subject, format!("whole, {megabytes} MB"))
                }
                Ok(Some(words)) => {
                    let remedy = format!("rm -r '{}'  (it is built again)", world.display());
                    bad(Mode::Embedded, subject, format!("damaged: {words}"), remedy)
                }
                Err(error) => bad(
                    Mode::Embedded,
                    subject,
                    error.to_string(),
                    "make it readable",
                ),
            }
        })
        .collect()
}

fn tool(program: &str, args: &[&str], remedy: &str) -> Check {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output();
    let name = if args.contains(&"pip") {
        "pip"
    } else {
        program
    };
    match output {
        Ok(output) if output.status.success() => good(
            Mode::Embedded,
            name,
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        ),
        _ => bad(
            Mode::Embedded,
            name,
            "not installed, and packages are to be fetched with it",
            remedy,
        ),
    }
}

/// Goes into a namespace the way PostgreSQL will.
fn namespace_check(host: &Path) -> Check {
    let subject = "user namespace (PostgreSQL refuses to be root)";
    let signal = (Signal::SIGKILL as i32).to_string();
    let parent = std::process::id().to_string();
    let output = Command::new(host)
        .args([LAUNCH, &parent, &signal, NAMESPACE, "--", "true"])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => good(Mode::Embedded, subject, "allowed"),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            bad(
                Mode::Embedded,
                subject,
                words,
                "run as an ordinary user, or `sysctl -w user.max_user_namespaces=10000`",
            )
        }
        Err(error) => bad(
            Mode::Embedded,
            subject,
            error.to_string(),
            "build the `verdict` program again",
        ),
    }
}
