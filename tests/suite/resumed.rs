//! A run that is broken off goes on where it was, and nothing of it is lost.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Results;
use verdict_audit::{Counter, Warning};
use verdict_reports::json;

/// Kills that are tried: with VERDICT_FAULTS=all twenty.
fn kills() -> usize {
    match std::env::var("VERDICT_FAULTS").as_deref() {
        Ok("all") => 20,
        _ => 3,
    }
}

/// Starts a short run of two items that leaves what it has in a folder.
fn start(folder: &Path, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["run", "6", "7", "--quick", "--untimed", "--scale", "smoke"])
        .args(["--engines", "embedded"])
        .args(words)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The exit code of one that is waited for, and what it complained of.
fn ended(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), said)
}

/// What does not depend on when a run was made: wrong answers and statements.
fn counted(results: &Results) -> Vec<(String, u64, Vec<f64>)> {
    let variants = results.items.iter().flat_map(|item| &item.variants);
    variants
        .map(|variant| {
            let answers = variant.answers.as_ref().unwrap();
            let statements = variant.work.iter();
            let statements = statements.map(|work| work.counters[&Counter::Statements]);
            assert!(answers.checked > 0);
            let name = variant.name.to_string();
            (name, answers.differing, statements.collect())
        })
        .collect()
}

#[test]
fn a_run_that_is_killed_goes_on_and_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = || json::read(&folder.join("verdict/results.json")).unwrap();
    let (code, said) = ended(start(folder, &["--resume"]));
    assert!(code == 66 && said.contains("without --resume"), "{said}");

    // A damaged one is in the way of nobody who does not go on with it.
    let asked = folder.join("verdict/unfinished/asked.json");
    std::fs::create_dir_all(asked.parent().unwrap()).unwrap();
    std::fs::write(&asked, "{").unwrap();
    let (code, said) = ended(start(folder, &["--resume"]));
    assert!(code == 64 && said.contains("cannot be read"), "{said}");
    let (code, said) = ended(start(folder, &[]));
    assert_eq!(code, 0, "{said}");
    assert!(!asked.exists());
    let due = counted(&whole());
    std::fs::remove_file(folder.join("verdict/results.json")).unwrap();

    let kept = folder.join("verdict/unfinished/results.json");
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for kill in 0..kills() {
        let mut run = start(folder, &[]);
        // At any moment once an item is whole, the next one's end among them.
        while !kept.exists() && run.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(random.random_range(0..3_000)));
        run.kill().unwrap();
        ended_or_killed(run);
        if kept.exists() {
            assert!(!folder.join("verdict/results.json").exists());
            if kill == 0 {
                other_runs_are_refused(folder);
            }
            let (code, said) = ended(start(folder, &["--resume"]));
            assert_eq!(code, 0, "{said}");
            let results = whole();
            let resumed = |warning: &Warning| matches!(warning, Warning::Resumed { .. });
            assert!(results.run.warnings.iter().any(resumed), "{said}");
        }
        assert_eq!(counted(&whole()), due);
        assert!(!kept.exists());
        std::fs::remove_file(folder.join("verdict/results.json")).unwrap();
    }
}

fn ended_or_killed(mut run: Child) {
    drop(run.stderr.take());
    run.wait().unwrap();
}

/// Something else was asked for than what was broken off.
fn other_runs_are_refused(folder: &Path) {
    for (words, due) in [
        (&["--resume", "--seed", "2"][..], "of seed 1"),
        (&["--resume", "9"], "it is of the items"),
    ] {
        let (code, said) = ended(start(folder, words));
        assert!(code == 64 && said.contains(due), "{code}: {said}");
    }
}
