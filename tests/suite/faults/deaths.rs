//! Engines and services that die, or stand still, in the middle of the work that needs them.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use super::moments::died_of;
use super::scene::{ENGINES, KEEPER, SERVICE, Scene, whole};
use crate::engines::own_cache;

/// Long enough for a load to be under way.
const WHILE: Duration = Duration::from_millis(1_400);

/// What is said while a world is built, and while an item is tried on it.
const BUILDS: &str = "building the world";
const TRIES: &str = ": answers";

/// An engine, or the keeper, is killed, or stopped for good, once a run says a word.
fn strikes(signal: Signal, engine: (&str, &str), word: &str, scene: &Scene) {
    let (killed, process) = engine;
    let mut running = scene.start(&["run", "pagination", "--quick", "--scale", "smoke"]);
    running.says_word(word);
    let pid = scene.process(process).unwrap_or_else(|| {
        panic!("no {killed} at {word:?}: {:?}", running.lines());
    });
    kill(pid, signal).unwrap();
    let ended = running.end();
    scene.is_left_alone();
    died_of(
        killed,
        &format!("{signal} of {killed} at {word:?}"),
        &ended,
        scene,
    );
}

#[test]
fn whichever_engine_is_killed_in_the_middle_is_named_and_nothing_is_written() {
    let cache = Arc::new(own_cache());
    let scene = Scene::on(&cache);
    for word in [BUILDS, TRIES] {
        for killed in ENGINES.into_iter().chain([KEEPER]) {
            strikes(Signal::SIGKILL, killed, word, &scene);
        }
        scene.worlds_are_whole();
    }
}

#[test]
fn a_keeper_that_is_stopped_goes_on_when_it_is_needed() {
    let scene = Scene::on(&Arc::new(own_cache()));
    let stopped_at = |word| {
        let words = ["check", "pagination", "--scale", "smoke"];
        let mut running = scene.start(&words);
        running.says_word(word);
        let keeper = scene.found(KEEPER.1, &mut running).expect("a keeper");
        kill(keeper, Signal::SIGSTOP).unwrap();
        running
    };
    for word in [BUILDS, "starting engines", TRIES] {
        let ended = stopped_at(word).end();
        assert!(ended.status.success(), "{word}: {}", ended.said);
        scene.is_left_alone();
    }
    let running = stopped_at(TRIES);
    running.signal(Signal::SIGKILL);
    running.end();
    scene.is_left_alone();
    scene.worlds_are_whole();
}

/// A minute each.
#[test]
fn whichever_engine_stands_still_for_good_is_given_up_and_named() {
    let tried = if whole() { ENGINES.len() } else { 1 };
    std::thread::scope(|scope| {
        for engine in &ENGINES[..tried] {
            for word in [BUILDS, TRIES] {
                scope.spawn(move || {
                    let scene = Scene::on(&Arc::new(own_cache()));
                    if word == TRIES {
                        scene.worlds_are_whole();
                    }
                    strikes(Signal::SIGSTOP, *engine, word, &scene);
                });
            }
        }
    });
}

#[test]
fn an_engine_that_stands_still_is_told_and_waited_for() {
    let scene = Scene::on(&Arc::new(own_cache()));
    scene.worlds_are_whole();
    let mut running = scene.start(&["check", "pagination", "--scale", "smoke"]);
    running.says_word(TRIES);
    let engine = scene.process("bin/postgres -D").expect("a PostgreSQL");
    kill(engine, Signal::SIGSTOP).unwrap();
    running.says_word("PostgreSQL has not answered for 10 s");
    kill(engine, Signal::SIGCONT).unwrap();
    let ended = running.end();
    assert!(ended.status.success(), "{}", ended.said);
    scene.is_left_alone();
}

#[test]
fn a_service_that_is_killed_under_load_is_told_once() {
    let scene = Scene::on(&Arc::new(own_cache()));
    scene.worlds_are_whole();
    let mut running = scene.start(&[
        "load",
        "page",
        "--users",
        "16",
        "--duration",
        "20",
        "--scale",
        "smoke",
    ]);
    running.says_word("loading page");
    std::thread::sleep(WHILE);
    let service = scene.process(SERVICE.1).expect("a service");
    kill(service, Signal::SIGKILL).unwrap();
    let ended = running.end();
    scene.is_left_alone();
    assert_eq!(ended.status.code(), Some(69), "{}", ended.said);
    assert!(ended.complaint().contains("SIGKILL"), "{}", ended.said);
    assert!(ended.said.lines().count() < 20, "{}", ended.said);
    scene.results_stand();
}
