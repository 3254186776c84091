//! Signals and dead engines at random moments of every phase.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::scene::{ENGINES, Scene};
use crate::engines::own_cache;

/// `all` for the whole matrix, or the seed that the cases are drawn by.
const VARIABLE: &str = "VERDICT_FAULTS";
/// Cases that are drawn.
const DRAWN: usize = 20;
/// Lines of progress after which a fault may come, and how long after the last of them at most.
const LINES: usize = 9;
const AFTER: Duration = Duration::from_millis(700);

/// Commands, each with whether it finds its world or builds it.
const COMMANDS: [(&[&str], bool); 4] = [
    (&["check", "pagination", "--scale", "smoke"], true),
    (&["run", "pagination", "--quick", "--scale", "smoke"], true),
    (
        &[
            "load",
            "page",
            "--users",
            "2",
            "--duration",
            "2",
            "--scale",
            "smoke",
        ],
        true,
    ),
    (&["seed", "--scale", "smoke"], false),
];

#[derive(Debug, Clone, Copy)]
enum Harm {
    /// To Verdict itself.
    Signal(Signal),
    /// To an engine.
    Kill(&'static str, &'static str),
}

#[derive(Debug, Clone, Copy)]
struct Case {
    command: usize,
    harm: Harm,
    lines: usize,
}

fn matrix() -> Vec<Case> {
    let signals = [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGINT,
        // A terminal that is closed.
        Signal::SIGHUP,
    ];
    let kills = ENGINES.map(|(engine, words)| Harm::Kill(engine, words));
    let harms = signals.map(Harm::Signal).into_iter().chain(kills);
    let mut cases = Vec::new();
    for harm in harms {
        for command in 0..COMMANDS.len() {
            for lines in 1..=LINES {
                cases.push(Case {
                    command,
                    harm,
                    lines,
                });
            }
        }
    }
    cases
}

#[test]
fn whatever_dies_at_whichever_moment_nothing_is_left_and_earlier_results_stand() {
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let seed = asked.parse().unwrap_or(1);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cases = matrix();
    cases.shuffle(&mut random);
    if asked != "all" {
        cases.truncate(DRAWN);
    }
    let cache = Arc::new(own_cache());
    Scene::on(&cache).worlds_are_whole();
    for case in cases {
        println!("{case:?} of {VARIABLE}={seed}");
        try_case(case, &cache, random.random_range(Duration::ZERO..AFTER));
    }
    Scene::on(&cache).worlds_are_whole();
}

fn try_case(case: Case, cache: &Arc<TempDir>, after: Duration) {
    let (words, finds) = COMMANDS[case.command];
    let own;
    let scene = if finds {
        Scene::on(cache)
    } else {
        own = Arc::new(own_cache());
        Scene::on(&own)
    };
    let mut running = scene.start(words);
    let runs = running.says(case.lines);
    std::thread::sleep(after);
    let struck = match case.harm {
        Harm::Signal(signal) => {
            running.signal(signal);
            runs
        }
        // Before it has started there is nothing to kill, and nothing happens.
        Harm::Kill(_, words) => scene
            .engine(words)
            .is_some_and(|pid| kill(pid, Signal::SIGKILL).is_ok()),
    };
    let ended = running.end();
    scene.is_left_alone();
    let (status, said) = (ended.status, &ended.said);
    match case.harm {
        Harm::Signal(signal) if status.code().is_none() => {
            assert_eq!(status.signal(), Some(signal as i32), "{said}");
            scene.results_stand();
        }
        // goose takes Ctrl-C for itself.
        Harm::Signal(Signal::SIGINT) if status.code() == Some(130) => scene.results_stand(),
        Harm::Kill(engine, _) if struck && status.code() == Some(69) => {
            let complaint = ended.complaint();
            let named = complaint.contains(engine)
                || complaint.to_lowercase().contains(&engine.to_lowercase());
            assert!(named, "{case:?}: {said}");
            scene.results_stand();
        }
        // It came too late: the command was done with what it was for.
        _ => assert!(
            matches!(status.code(), Some(0..=1)) && !said.contains("verdict: "),
            "{case:?}: {status}: {said}"
        ),
    }
    if !finds {
        scene.worlds_are_whole();
    }
}

#[test]
fn an_engine_that_stands_still_is_told_and_waited_for() {
    let scene = Scene::on(&Arc::new(own_cache()));
    scene.worlds_are_whole();
    let mut running = scene.start(&["check", "pagination", "--scale", "smoke"]);
    running.says_word("answers");
    let engine = scene.engine("bin/postgres -D").expect("a PostgreSQL");
    kill(engine, Signal::SIGSTOP).unwrap();
    running.says_word("PostgreSQL has not answered for 10 s");
    kill(engine, Signal::SIGCONT).unwrap();
    let ended = running.end();
    assert!(ended.status.success(), "{}", ended.said);
    scene.is_left_alone();
}
