//! `clean` while another process builds a world in the user's servers.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::PgPool;
use tempfile::TempDir;
use verdict_engines::Engines;

use crate::common::{options, runtime};
use crate::engines_elsewhere::urls;

const LONG: Duration = Duration::from_secs(120);

/// A process that goes with the test.
struct Builder(Child);

impl Builder {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_world_that_another_process_is_building_is_not_removed_and_an_idle_one_is() {
    let cache = TempDir::new().unwrap();
    let theirs = runtime().block_on(Engines::start(&options())).unwrap();
    let urls = runtime().block_on(urls(&theirs));
    let admin = runtime()
        .block_on(PgPool::connect_with(theirs.postgres("postgres")))
        .unwrap();
    let external = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verdict"));
        command
            .args(words)
            .args(["--engines", "external"])
            .env("VERDICT_CACHE", cache.path())
            .envs(urls.clone());
        command
    };
    let worlds = || {
        let worlds = "SELECT count(*) FROM pg_database WHERE datname LIKE 'verdict\\_world\\_%'";
        let worlds = sqlx::query_scalar::<_, i64>(worlds).fetch_one(&admin);
        runtime().block_on(worlds).unwrap()
    };
    let clean = || {
        let cleaned = external(&["clean"]).output().unwrap();
        assert!(cleaned.status.success(), "{cleaned:?}");
    };

    let mut build = external(&["seed", "--scale", "smoke"]);
    build.stdout(Stdio::null()).stderr(Stdio::null());
    let mut builder = Builder(build.spawn().unwrap());
    let began = Instant::now();
    while worlds() == 0 {
        assert!(began.elapsed() < LONG, "nothing is built");
        std::thread::sleep(Duration::from_millis(10));
    }
    // So that it is not done before the other has looked.
    builder.signal(Signal::SIGSTOP);
    clean();
    assert_eq!(worlds(), 1, "it was being built");
    builder.signal(Signal::SIGCONT);
    let built = builder.0.wait().unwrap();
    assert!(built.success(), "{built}");
    assert_eq!(worlds(), 1);
    clean();
    assert_eq!(worlds(), 0, "nobody uses it");
    runtime().block_on(async {
        admin.close().await;
        theirs.stop().await.unwrap();
    });
}
