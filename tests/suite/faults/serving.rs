//! `verdict serve`, told to end or without an engine: it runs until somebody does something to it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::moments::died_of;
use super::scene::{ENGINES, Running, Scene, seed, whole};
use crate::engines::own_cache;

/// How long it may take to listen to somebody, and the moment after that in which it is struck.
const LONG: Duration = Duration::from_secs(240);
const MOMENT: Duration = Duration::from_secs(1);
/// How soon it ends that has lost an engine.
const SOON: Duration = Duration::from_secs(15);

/// Each with the exit code that it ends with, or none where the signal itself ends it.
const SIGNALS: [(Signal, Option<i32>); 4] = [
    (Signal::SIGINT, Some(0)),
    (Signal::SIGTERM, Some(0)),
    (Signal::SIGHUP, None),
    (Signal::SIGKILL, None),
];

/// A service that has answered.
fn serving(scene: &Scene) -> Running {
    // It is free when it is asked for, and nobody else is told.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let listen = address.to_string();
    let words = ["serve", "--listen", &listen, "--scale", "smoke"];
    let mut running = scene.start(&words);
    running.says_word("cloning the world");
    let began = Instant::now();
    while !answers(address) {
        assert!(began.elapsed() < LONG, "{:?}", running.lines());
        std::thread::sleep(Duration::from_millis(50));
    }
    running
}

/// Whether it answers a request for its health; before it serves, it only holds the address.
fn answers(address: SocketAddr) -> bool {
    use std::io::{Read, Write};
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(answer.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}

#[test]
fn a_service_that_is_told_to_end_or_has_lost_an_engine_leaves_nothing() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let (mut signals, mut engines) = (SIGNALS.to_vec(), ENGINES.to_vec());
    if !whole() {
        signals.shuffle(&mut random);
        signals.truncate(2);
        engines.shuffle(&mut random);
        engines.truncate(1);
    }
    let scene = Scene::on(&Arc::new(own_cache()));
    let mut moment = || std::thread::sleep(random.random_range(Duration::ZERO..MOMENT));
    for (signal, code) in signals {
        let running = serving(&scene);
        moment();
        running.signal(signal);
        let ended = running.end();
        scene.is_left_alone();
        assert_eq!(ended.status.code(), code, "{signal}: {}", ended.said);
        scene.results_stand();
    }
    for (engine, words) in engines {
        let running = serving(&scene);
        moment();
        kill(scene.process(words).expect(engine), Signal::SIGKILL).unwrap();
        let killed = Instant::now();
        let ended = running.end();
        assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
        scene.is_left_alone();
        died_of(engine, "serve", &ended, &scene);
    }
    scene.worlds_are_whole();
}
