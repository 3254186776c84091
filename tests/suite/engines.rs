//! Engines start, answer, stay apart, and are gone at the end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use verdict_engines::{Engines, Error, Mode, Options};

use crate::common::{engines, options, runtime};

#[test]
fn all_three_answer_and_say_that_they_are_durable() {
    runtime().block_on(async {
        let engines = engines().await;
        assert_eq!(engines.mode(), Mode::Embedded);

        let info = engines.info().await.unwrap();
        let settings: Vec<_> = info
            .iter()
            .map(|engine| (engine.name.as_str(), &engine.version, &engine.settings))
            .collect();
        let [
            ("postgres", postgres, durable),
            ("clickhouse", clickhouse, _),
            ("redis", redis, _),
        ] = settings[..]
        else {
            panic!("not the three engines: {settings:?}")
        };
        assert!(postgres.starts_with("18."), "{postgres}");
        assert!(clickhouse.starts_with("26.7."), "{clickhouse}");
        assert!(redis.starts_with("valkey 9."), "{redis}");
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            assert_eq!(durable[name], "on", "{name}");
        }
        let mut connection = engines
            .redis()
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        let pong: String = redis::cmd("PING")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(pong, "PONG");
    });
}

#[test]
fn nobody_gets_in_without_the_password() {
    runtime().block_on(async {
        let engines = engines().await;
        let world = engines.world();
        let postgres = engines.postgres(world).password("guess");
        assert!(sqlx::PgPool::connect_with(postgres).await.is_err());
        for client in [
            engines.clickhouse(world).with_password("guess"),
            engines
                .clickhouse(world)
                .with_user("default")
                .with_password(""),
        ] {
            assert!(client.query("SELECT 1").fetch_one::<u8>().await.is_err());
        }
    });
}

#[test]
fn the_clickhouse_user_without_a_password_is_asked_for_by_nobody() {
    runtime().block_on(async {
        let engines = engines().await;
        let port = "SELECT getServerPort('http_port')";
        let port = engines.clickhouse("default").query(port).fetch_one::<u16>();
        let port = port.await.unwrap();
        let url = format!("http://127.0.0.1:{port}/?query=SELECT+currentUser()");
        let http = reqwest::Client::new();
        let ours = ("X-ClickHouse-User", "verdict");
        let asked = [
            http.get(&url),
            http.get(format!("{url}&user=default")),
            http.get(&url).basic_auth("default", Some("")),
            http.get(&url).header("X-ClickHouse-User", "default"),
            // Named twice: as ours, and as the one.
            http.get(format!("{url}&user=default&password="))
                .header(ours.0, ours.1),
            http.get(&url)
                .header(ours.0, ours.1)
                .basic_auth("default", Some("")),
            http.get(&url).header(ours.0, ours.1),
        ];
        for request in asked {
            let answer = request.send().await.unwrap();
            let (status, words) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_client_error(), "{status}: {words}");
            // Whether or not its one session is open.
            assert!(!words.contains("session"), "{words}");
        }
    });
}

#[test]
fn a_clone_has_the_worlds_rows_and_counts_its_own_work() {
    runtime().block_on(async {
        let options = options();
        let engines = Engines::start(&options).await.unwrap();
        let world = sqlx::PgPool::connect_with(engines.postgres(engines.world()))
            .await
            .unwrap();
        sqlx::raw_sql("CREATE TABLE t AS SELECT 7 AS n")
            .execute(&world)
            .await
            .unwrap();
        world.close().await;

        engines.sandbox("trial").await.unwrap();
        let side = engines
            .sandbox("trial")
            .await
            .expect("a clone takes the place of an earlier one");
        let clone = sqlx::PgPool::connect_with(side.endpoints().postgres.clone())
            .await
            .unwrap();
        let n: i32 = sqlx::query_scalar("SELECT n FROM t")
            .fetch_one(&clone)
            .await
            .unwrap();
        assert_eq!(n, 7);
        let calls: i64 = sqlx::query_scalar(
            "SELECT calls FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid
             WHERE query = 'SELECT n FROM t' AND datname = current_database()",
        )
        .fetch_one(&clone)
        .await
        .unwrap();
        assert_eq!(calls, 1);

        engines
            .drop_sandbox("trial")
            .await
            .expect("sessions on a clone do not keep it");
        engines
            .drop_sandbox("trial")
            .await
            .expect("no clone is no error");
        engines.stop().await.unwrap();
    });
}

#[test]
fn two_runs_at_once_do_not_meet() {
    runtime().block_on(async {
        let options = options();
        let (one, other) = tokio::join!(Engines::start(&options), Engines::start(&options));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one.run_id(), other.run_id());

        let pool = sqlx::PgPool::connect_with(one.postgres(one.world()))
            .await
            .unwrap();
        sqlx::raw_sql("CREATE TABLE mine (n int)")
            .execute(&pool)
            .await
            .unwrap();
        one.clickhouse(one.world())
            .query("CREATE TABLE mine (n Int32) ENGINE = MergeTree ORDER BY n")
            .execute()
            .await
            .unwrap();
        let mut connection = one
            .redis()
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        redis::cmd("SET")
            .arg("mine")
            .arg(1)
            .exec_async(&mut connection)
            .await
            .unwrap();

        let pool = sqlx::PgPool::connect_with(other.postgres(other.world()))
            .await
            .unwrap();
        let tables: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relname = 'mine'")
                .fetch_one(&pool)
                .await
                .unwrap();
        let client = other.clickhouse(other.world());
        let events: u64 = client
            .query("SELECT count() FROM system.tables WHERE name = 'mine'")
            .fetch_one()
            .await
            .unwrap();
        let mut connection = other
            .redis()
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        let keys: i64 = redis::cmd("EXISTS")
            .arg("mine")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!((tables, events, keys), (0, 0, 0));

        let folder = options.cache.join("runs").join(one.run_id());
        assert!(folder.is_dir());
        one.stop().await.unwrap();
        assert!(!folder.exists());
        sqlx::query("SELECT 1")
            .execute(&pool)
            .await
            .expect("the other run goes on");
        other.stop().await.unwrap();
    });
}

#[test]
fn a_sealed_world_is_found_again_and_a_failed_build_is_not() {
    let cache = own_cache();
    runtime().block_on(async {
        let options = Options { cache: cache.path().to_owned(), ..options() };
        let builds = AtomicUsize::new(0);
        let build = async |engines: &Engines| {
            builds.fetch_add(1, Ordering::Relaxed);
            let pool = sqlx::PgPool::connect_with(engines.postgres(engines.world())).await?;
            sqlx::raw_sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n").execute(&pool).await?;
            pool.close().await;
            let client = engines.clickhouse(engines.world());
            client.query("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").execute().await?;
            client.query("INSERT INTO t SELECT number FROM numbers(1000)").execute().await?;
            Ok(())
        };

        let failed = Engines::with_world(&options, "test", async |engines: &Engines| {
            build(engines).await?;
            Err("on the last row".into())
        })
        .await;
        assert!(matches!(&failed, Err(Error::Build { source, .. }) if source.to_string() == "on the last row"));

        let (one, other) = tokio::join!(Engines::with_world(&options, "test", build), Engines::with_world(&options, "test", build));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(builds.load(Ordering::Relaxed), 2, "the failed one, and one for both that came after it");
        one.clickhouse(one.world()).query("ALTER TABLE t DELETE WHERE n < 900 SETTINGS mutations_sync = 2").execute().await.unwrap();
        one.clickhouse(one.world()).query("OPTIMIZE TABLE t FINAL").execute().await.unwrap();
        let pool = sqlx::PgPool::connect_with(one.postgres(one.world())).await.unwrap();
        sqlx::raw_sql("DELETE FROM t WHERE n < 900; CHECKPOINT").execute(&pool).await.unwrap();
        one.stop().await.unwrap();
        other.stop().await.unwrap();

        let began = Instant::now();
        let again = Engines::with_world(&options, "test", async |_: &Engines| panic!("it is there")).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "a warm start took {:?}", began.elapsed());
        let pool = sqlx::PgPool::connect_with(again.postgres(again.world())).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(&pool).await.unwrap();
        let events: u64 = again.clickhouse(again.world()).query("SELECT count() FROM t").fetch_one().await.unwrap();
        assert_eq!((rows, events), (1000, 1000), "what one run deletes is there for the next");
        assert_eq!(again.info().await.unwrap()[0].settings["fsync"], "on");
        again.stop().await.unwrap();
    });
}

#[test]
fn killed_in_the_middle_it_leaves_no_process_and_no_folder() {
    leaves_nothing_after(Signal::SIGKILL);
}

#[test]
fn terminated_it_leaves_no_process_and_no_folder() {
    leaves_nothing_after(Signal::SIGTERM);
}

#[test]
fn interrupted_it_leaves_no_process_and_no_folder() {
    leaves_nothing_after(Signal::SIGINT);
}

#[test]
fn when_even_the_keeper_is_killed_the_engines_end_and_the_next_start_sweeps_the_folder() {
    let cache = own_cache();
    let mut held = Held::start(&mut hold(cache.path()), cache.path());
    held.kill_keeper();
    held.wait_for("engines that ended", |held| held.processes().is_empty());
    assert!(held.folder.exists(), "nobody was left to remove it");
    held.child.kill().unwrap();

    let next = Held::start(&mut hold(cache.path()), cache.path());
    assert!(!held.folder.exists() && next.folder.exists());
    next.signal(Signal::SIGTERM);
    next.wait_for("an empty cache", |next| !next.folder.exists());
}

#[test]
fn an_ordinary_user_can_run_it() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: this test run is an ordinary user's, so every other test has shown it");
        return;
    }
    // Where another user can read the programs and write the rest.
    let cache = TempDir::new().unwrap();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    open(cache.path());
    let program = cache.path().join("verdict");
    fs::copy(env!("CARGO_BIN_EXE_verdict"), &program).unwrap();
    let packages = cache.path().join("packages");
    copy_open(&packages_folder(), &packages);
    nix::unistd::chown(cache.path(), Some(65534.into()), Some(65534.into())).unwrap();

    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .arg("engine-hold");
    command.env("VERDICT_CACHE", cache.path());
    let held = Held::start(&mut command, cache.path());
    held.signal(Signal::SIGTERM);
    held.wait_for("an empty cache", |held| {
        held.processes().is_empty() && !held.folder.exists()
    });
}

#[test]
fn engines_keep_to_utc_wherever_the_machine_is() {
    let cache = own_cache();
    let mut command = hold(cache.path());
    let held = Held::start(command.env("TZ", "Asia/Kolkata"), cache.path());
    let clickhouse = held
        .processes()
        .into_iter()
        .find(|pid| command_line(*pid).contains(" engine-clickhouse "));
    let pid = clickhouse.expect("ClickHouse");
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let zones = environment
        .split(|byte| *byte == 0)
        .filter(|variable| variable.starts_with(b"TZ="));
    assert_eq!(zones.collect::<Vec<_>>(), [b"TZ=UTC"]);
    held.signal(Signal::SIGTERM);
    held.wait_for("nothing of it", |held| {
        held.processes().is_empty() && !held.folder.exists()
    });
}

fn leaves_nothing_after(signal: Signal) {
    let cache = own_cache();
    let held = Held::start(&mut hold(cache.path()), cache.path());
    let before = held.processes();
    // The keeper, PostgreSQL with its helpers, ClickHouse, Valkey.
    assert!(before.len() >= 4, "too few to mean anything: {before:?}");
    held.signal(signal);
    held.wait_for("no process and no folder", |held| {
        held.processes().is_empty() && !held.folder.exists()
    });
    assert_eq!(
        fs::read_dir(cache.path().join("runs")).unwrap().count(),
        0,
        "not even a lock file is left"
    );
}

/// A process that holds engines, and where it does.
pub struct Held {
    child: Child,
    pub folder: PathBuf,
    /// What it said of its world: `built` or `found`.
    pub word: String,
}

impl Held {
    pub fn start(command: &mut Command, cache: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (run, word) = line
            .trim()
            .split_once(' ')
            .unwrap_or_else(|| panic!("it did not start: {:?}", child.wait()));
        let folder = cache.canonicalize().unwrap().join("runs").join(run);
        assert!(folder.is_dir());
        Self {
            child,
            folder,
            word: word.to_owned(),
        }
    }

    pub fn run(&self) -> &str {
        self.folder.file_name().unwrap().to_str().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Kills the process that would clean up.
    pub fn kill_keeper(&self) {
        let keeper = self
            .processes()
            .into_iter()
            .find(|pid| command_line(*pid).contains("engine-keeper"))
            .expect("a keeper");
        kill(keeper, Signal::SIGKILL).unwrap();
    }

    /// The processes that have anything to do with the run's folder.
    pub fn processes(&self) -> Vec<Pid> {
        let folder = self.folder.to_str().unwrap();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let opened = fs::read_dir(entry.path().join("fd"))
                .into_iter()
                .flatten()
                .flatten()
                .map(|fd| fd.path());
            let links = opened
                .chain([entry.path().join("cwd")])
                .filter_map(|link| fs::read_link(link).ok());
            if command_line(Pid::from_raw(pid)).contains(folder)
                || links
                    .into_iter()
                    .any(|link| link.to_string_lossy().starts_with(folder))
            {
                found.push(Pid::from_raw(pid));
            }
        }
        found
    }

    pub fn wait_for(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while !reached(self) {
            let left: Vec<_> = self.processes().into_iter().map(command_line).collect();
            assert!(
                Instant::now() < deadline,
                "still not {what}: processes {left:?}, folder {}",
                self.folder.exists()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command_line(pid: Pid) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw).replace('\0', " ")
}

fn hold(cache: &Path) -> Command {
    // Signals as a terminal would have them: what is started in the background from a script
    // ignores Ctrl-C, and so would all that it starts.
    let mut command = Command::new("env");
    command
        .arg("--default-signal=INT")
        .arg(env!("CARGO_BIN_EXE_verdict"))
        .arg("engine-hold")
        .env("VERDICT_CACHE", cache)
        .env_remove("VERDICT_ENGINES");
    command
}

/// The packages of the user's cache, fetched if need be.
fn packages_folder() -> PathBuf {
    runtime().block_on(async { engines().await });
    options().cache.join("packages")
}

/// A cache folder with no worlds and no runs, that shares the packages.
pub fn own_cache() -> TempDir {
    let cache = TempDir::new().unwrap();
    symlink(packages_folder(), cache.path().join("packages")).unwrap();
    cache
}

/// A copy that every user can read; files are linked where that is possible.
fn copy_open(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_open(&entry.path(), &target);
        } else if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
