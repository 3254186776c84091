//! Signals, dead and stopped engines, and other commands, at random moments of every phase.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::scene::{ENGINES, Ended, KEEPER, SERVICE, Scene, VARIABLE, seed, whole};
use crate::engines::own_cache;

/// Cases that are drawn.
const DRAWN: usize = 20;
/// Moments of each command, one for each line of its progress, and beyond the last of them one
/// for each of these; a fault comes at a random instant of it.
const MOMENTS: usize = 9;
const MOMENT: Duration = Duration::from_millis(700);
/// How long an engine stands still that goes on afterwards: longer than any client waits for a
/// single answer by default.
const STILL: Duration = Duration::from_secs(3);

/// What is done when a fault comes.
#[derive(Debug)]
struct Command {
    words: &'static [&'static str],
    /// Lines that it says at least.
    lines: usize,
    /// Whether it finds its world or builds it.
    finds: bool,
}

const COMMANDS: [Command; 4] = [
    Command {
        words: &["check", "pagination", "--scale", "smoke"],
        lines: 9,
        finds: true,
    },
    Command {
        words: &["run", "pagination", "--quick", "--scale", "smoke"],
        lines: 9,
        finds: true,
    },
    Command {
        words: &[
            "load",
            "page",
            "--users",
            "2",
            "--duration",
            "2",
            "--scale",
            "smoke",
        ],
        lines: 3,
        finds: true,
    },
    Command {
        words: &["seed", "--scale", "smoke"],
        lines: 3,
        finds: false,
    },
];
/// The longest of them, and the one that has a service.
const RUN: usize = 1;
const LOAD: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Harm {
    /// To Verdict itself.
    Signal(Signal),
    /// To an engine, the service or the keeper: its name, and the words by which it is found.
    Kill(&'static str, &'static str),
    /// To an engine, for a while.
    Stop(&'static str),
    /// To the keeper, for good.
    Halt,
    /// Everything that nobody uses is removed.
    Clean,
    /// The same command on the same cache.
    Twin,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    command: usize,
    harm: Harm,
    moment: usize,
}

impl Case {
    /// Whether it takes seconds: what is done to no harm is done to its end, and a run is long.
    fn is_short(&self) -> bool {
        let to_its_end = matches!(
            self.harm,
            Harm::Stop(_) | Harm::Halt | Harm::Clean | Harm::Twin
        );
        !(to_its_end && self.command == RUN)
    }
}

fn matrix() -> Vec<Case> {
    let signals = [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGINT,
        // A terminal that is closed.
        Signal::SIGHUP,
    ];
    let killed = ENGINES.into_iter().chain([KEEPER]);
    let kills = killed.map(|(name, words)| Harm::Kill(name, words));
    let often = signals.map(Harm::Signal).into_iter().chain(kills);
    let stops = ENGINES.map(|(_, words)| Harm::Stop(words));
    let seldom = stops
        .into_iter()
        .chain([Harm::Halt, Harm::Clean, Harm::Twin]);
    let mut cases = Vec::new();
    let mut add = |harm, commands: &[usize], apart| {
        for command in commands.iter().copied() {
            for moment in (1..=MOMENTS).step_by(apart) {
                cases.push(Case {
                    command,
                    harm,
                    moment,
                });
            }
        }
    };
    for harm in often {
        add(harm, &[0, 1, 2, 3], 1);
    }
    for harm in seldom {
        add(harm, &[0, 1, 2, 3], 3);
    }
    add(Harm::Kill(SERVICE.0, SERVICE.1), &[LOAD], 1);
    cases
}

#[test]
fn whatever_happens_at_whichever_moment_nothing_is_left_and_earlier_results_stand() {
    let seed = seed();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cases = matrix();
    cases.shuffle(&mut random);
    if !whole() {
        cases.retain(Case::is_short);
        cases.truncate(DRAWN);
    }
    let cache = Arc::new(own_cache());
    Scene::on(&cache).worlds_are_whole();
    for mut case in cases {
        println!("{case:?} of {VARIABLE}={seed}");
        // What came too late for anything is tried again, earlier.
        while !try_case(case, &cache, random.random_range(Duration::ZERO..MOMENT)) {
            case.moment -= 1;
            assert!(case.moment > 0, "{case:?}: it never came in time");
        }
    }
    Scene::on(&cache).worlds_are_whole();
}

/// Whether it came in time to strike somebody.
fn try_case(case: Case, cache: &Arc<TempDir>, after: Duration) -> bool {
    let command = &COMMANDS[case.command];
    let own;
    let scene = if command.finds && !matches!(case.harm, Harm::Clean) {
        Scene::on(cache)
    } else {
        own = Arc::new(own_cache());
        Scene::on(&own)
    };
    if command.finds && matches!(case.harm, Harm::Clean) {
        scene.worlds_are_whole();
    }
    let mut running = scene.start(command.words);
    running.says(case.moment.min(command.lines));
    let beyond = case.moment.saturating_sub(command.lines);
    std::thread::sleep(MOMENT * u32::try_from(beyond).unwrap() + after);
    let said = running.lines().len();
    let struck = match case.harm {
        Harm::Signal(signal) => {
            let runs = running.runs();
            running.signal(signal);
            runs
        }
        Harm::Kill(_, words) => scene
            .found(words, &mut running)
            .is_some_and(|pid| kill(pid, Signal::SIGKILL).is_ok()),
        Harm::Halt => scene
            .found(KEEPER.1, &mut running)
            .is_some_and(|pid| kill(pid, Signal::SIGSTOP).is_ok()),
        Harm::Stop(words) => scene.found(words, &mut running).is_some_and(|pid| {
            let stopped = kill(pid, Signal::SIGSTOP).is_ok();
            std::thread::sleep(STILL);
            // It has ended when its run was about to end.
            let _ = kill(pid, Signal::SIGCONT);
            stopped
        }),
        Harm::Clean => {
            let cleaned = scene.start(&["clean"]).end();
            assert!(cleaned.status.success(), "{case:?}: {}", cleaned.said);
            true
        }
        Harm::Twin => {
            let other = Scene::at(scene.cache());
            came_to_its_end(case, &other.start(command.words).end());
            true
        }
    };
    let ended = running.end();
    scene.is_left_alone();
    let went_on = ended.said.lines().count() > said;
    let in_time = hold(case, (struck, went_on), &ended, &scene);
    if !command.finds || matches!(case.harm, Harm::Clean | Harm::Twin) {
        scene.worlds_are_whole();
    }
    in_time
}

/// Holds what a command came to, to what was done to it: whether that struck, and whether more
/// was said after it. Whether it came in time.
fn hold(case: Case, (struck, went_on): (bool, bool), ended: &Ended, scene: &Scene) -> bool {
    let (status, said) = (ended.status, &ended.said);
    assert!(said.len() < 100_000, "{case:?}: {said}");
    match case.harm {
        Harm::Signal(signal) if status.code().is_none() => {
            assert_eq!(status.signal(), Some(signal as i32), "{said}");
            scene.results_stand();
            true
        }
        // goose takes Ctrl-C for itself.
        Harm::Signal(Signal::SIGINT) if status.code() == Some(130) => {
            scene.results_stand();
            true
        }
        Harm::Kill(killed, _) if struck && (went_on || status.code() == Some(69)) => {
            died_of(killed, &format!("{case:?}"), ended, scene);
            true
        }
        // It came too late, when the command was done with what it was for; or did no harm.
        harm => {
            came_to_its_end(case, ended);
            struck && !matches!(harm, Harm::Signal(_) | Harm::Kill(..))
        }
    }
}

/// An engine or service was killed, and that is what the command says.
pub(super) fn died_of(killed: &str, case: &str, ended: &Ended, scene: &Scene) {
    let (status, said) = (ended.status, &ended.said);
    assert_eq!(status.code(), Some(69), "{case}: {status}: {said}");
    let complaint = ended.complaint().to_lowercase();
    assert!(complaint.contains(killed), "{case}: {said}");
    scene.results_stand();
}

fn came_to_its_end(case: Case, ended: &Ended) {
    let (status, said) = (ended.status, &ended.said);
    assert!(
        matches!(status.code(), Some(0..=1)) && !said.contains("verdict: "),
        "{case:?}: {status}: {said}"
    );
}
