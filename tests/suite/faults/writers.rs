//! Commands that write, killed at any moment: what they replace is the old or the new.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_reports::json;

use super::generated;
use super::scene::{VARIABLE, seed, whole};

/// How often each is killed.
const KILLED: usize = 12;
const ALL: usize = 300;

/// How long a command takes when nobody kills it.
fn took(start: impl Fn() -> Command) -> Duration {
    let began = Instant::now();
    let status = start().status().unwrap();
    assert!(matches!(status.code(), Some(0..=1)), "{status}");
    began.elapsed()
}

fn run_of(file: &Path) -> String {
    json::read(file).unwrap().run.id
}

#[test]
fn what_a_killed_report_or_merge_replaces_is_the_old_or_the_new() {
    let seed = seed();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let output = tempfile::tempdir().unwrap();
    let folder = output.path().join("verdict");
    let [one, other] = ["one", "other"].map(|id| {
        let file = output.path().join(id).with_extension("json");
        json::write(&file, &generated(id)).unwrap();
        file
    });
    let (results, previous) = (folder.join("results.json"), folder.join("previous.json"));
    let page = folder.join("report/index.html");
    let verdict = |words: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verdict"));
        command
            .args(words)
            .env("CARGO_TARGET_DIR", output.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let merge = || verdict(&[Path::new("merge"), &one, &other]);
    let report = || verdict(&[Path::new("report"), &one]);
    let (merging, reporting) = (took(merge), took(report));
    let merged = run_of(&results);
    let mut in_time = 0;
    for _ in 0..if whole() { ALL } else { KILLED } {
        fs::copy(&one, &results).unwrap();
        let _ = fs::remove_file(&previous);
        let _ = fs::remove_file(&page);
        for (start, whole) in [
            (&merge as &dyn Fn() -> Command, merging),
            (&report, reporting),
        ] {
            let mut child = start().spawn().unwrap();
            std::thread::sleep(random.random_range(Duration::ZERO..whole));
            child.kill().unwrap();
            in_time += usize::from(child.wait().unwrap().code().is_none());
            let found = run_of(&results);
            assert!(found == "one" || found == merged, "{VARIABLE}={seed}");
            assert!(!previous.exists() || run_of(&previous) == "one");
            if let Ok(page) = fs::read_to_string(&page) {
                assert!(page.trim_end().ends_with("</html>"), "{VARIABLE}={seed}");
            }
        }
    }
    assert!(in_time > 0, "nobody was killed in time");
}
