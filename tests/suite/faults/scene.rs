//! A command on a cache and an output folder of its own, and what it leaves.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// `all` for every fault that there is, or the seed that those are drawn by which are tried.
pub const VARIABLE: &str = "VERDICT_FAULTS";

/// Whether every fault is to be tried.
pub fn whole() -> bool {
    std::env::var(VARIABLE).is_ok_and(|asked| asked == "all")
}

/// What faults are drawn by: the number that was asked for, so that every night can try others.
/// It is said, so that what a night found can be tried again.
pub fn seed() -> u64 {
    let asked = std::env::var(VARIABLE).ok();
    let seed = asked.and_then(|asked| asked.parse().ok()).unwrap_or(1);
    // Not by way of what a test says, which is shown of those alone that fail.
    let _ = writeln!(std::io::stderr(), "faults are drawn by {VARIABLE}={seed}");
    seed
}

/// What an earlier run left, which a run that comes to nothing must not touch.
const EARLIER: &str = "what an earlier run found";
/// How long a command may take in all, and whoever it started to be gone after it.
const LONG: Duration = Duration::from_secs(240);
const GONE: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(20);

/// The engines, by a word that every complaint of one holds in small letters, and a part of the
/// command line of the process that is one.
pub const ENGINES: [(&str, &str); 3] = [
    ("postgres", "bin/postgres -D"),
    ("clickhouse", "engine-clickhouse"),
    ("redis", "valkey-server"),
];

/// The process that keeps the engines, likewise.
pub const KEEPER: (&str, &str) = ("keeps the engines", "engine-keeper");

/// The service under load, likewise.
pub const SERVICE: (&str, &str) = ("service", "verdict service");

/// A cache, which others may use as well, and an output folder.
pub struct Scene {
    cache: PathBuf,
    /// Kept for as long as it is used.
    _own: Option<Arc<TempDir>>,
    output: TempDir,
}

/// A command that runs.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// Its standard error.
    pub said: String,
}

impl Scene {
    pub fn on(cache: &Arc<TempDir>) -> Self {
        Self {
            _own: Some(Arc::clone(cache)),
            ..Self::at(cache.path())
        }
    }

    /// On a cache that is somebody else's to remove.
    pub fn at(cache: &Path) -> Self {
        let scene = Self {
            cache: cache.to_owned(),
            _own: None,
            output: TempDir::new().unwrap(),
        };
        fs::create_dir(scene.results().parent().unwrap()).unwrap();
        fs::write(scene.results(), EARLIER).unwrap();
        scene
    }

    pub fn cache(&self) -> &Path {
        &self.cache
    }

    fn results(&self) -> PathBuf {
        self.output.path().join("verdict/results.json")
    }

    /// Starts `verdict` with signals as a terminal would have them.
    pub fn start(&self, words: &[&str]) -> Running {
        let mut child = Command::new("env")
            .args(["--default-signal=INT,HUP"])
            .arg(env!("CARGO_BIN_EXE_verdict"))
            .args(words)
            .env("VERDICT_CACHE", self.cache())
            .env("VERDICT_ENGINES", "embedded")
            .env("CARGO_TARGET_DIR", self.output.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Running {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// The processes that belong to this cache.
    pub fn processes(&self) -> Vec<Pid> {
        let ours = format!("VERDICT_CACHE={}", self.cache().display());
        let belongs = |pid: &Pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let names_it = environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == ours.as_bytes());
            // Redis writes its title over its environment.
            let stands_in_it = fs::read_link(format!("/proc/{pid}/cwd"))
                .is_ok_and(|folder| folder.starts_with(self.cache()));
            names_it || stands_in_it
        };
        let all = fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .map(Pid::from_raw)
            .filter(belongs)
            .collect()
    }

    /// An engine or service of this cache, once it is there.
    pub fn process(&self, words: &str) -> Option<Pid> {
        self.processes().into_iter().find(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            // Not the launcher, which becomes it.
            line.contains(words) && !line.contains("engine-launch")
        })
    }

    /// The same, waited for; none where the command ends before.
    pub fn found(&self, words: &str, running: &mut Running) -> Option<Pid> {
        while running.runs() {
            let found = self.process(words);
            if found.is_some() {
                return found;
            }
            std::thread::sleep(TICK);
        }
        None
    }

    /// Waits until whatever was started is gone, with the folders of its run.
    pub fn is_left_alone(&self) {
        let runs = self.cache().join("runs");
        let folders = || fs::read_dir(&runs).map_or(0, |entries| entries.count());
        let began = Instant::now();
        while !self.processes().is_empty() || folders() > 0 {
            assert!(
                began.elapsed() < GONE,
                "left running: {:?}, folders: {}",
                self.processes(),
                folders()
            );
            std::thread::sleep(TICK);
        }
    }

    /// What an earlier run found is as it was.
    pub fn results_stand(&self) {
        assert_eq!(fs::read_to_string(self.results()).unwrap(), EARLIER);
    }

    /// Every world that is taken for whole is so.
    pub fn worlds_are_whole(&self) {
        let ended = self.start(&["seed", "--scale", "smoke"]).end();
        assert!(ended.status.success(), "{}", ended.said);
        assert!(!ended.said.contains("damaged"), "{}", ended.said);
    }
}

impl Running {
    /// Waits until so many lines were said, or the end.
    pub fn says(&mut self, lines: usize) {
        while self.said.len() < lines {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => self.said.push(line),
                Err(_) => return,
            }
        }
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The lines that were said until now.
    pub fn lines(&mut self) -> &[String] {
        self.said.extend(self.lines.try_iter());
        &self.said
    }

    /// Waits until a line holds a word.
    pub fn says_word(&mut self, word: &str) {
        while !self.said.iter().any(|line| line.contains(word)) {
            let line = self.lines.recv_timeout(LONG);
            self.said.push(line.unwrap_or_else(|_| {
                panic!("it never said {word:?}: {}", self.said.join("\n"));
            }));
        }
    }

    /// Sends a signal to it, and where it comes from a terminal, to all that it started there.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        // It may have ended.
        let _ = match signal {
            Signal::SIGINT | Signal::SIGHUP => killpg(pid, signal),
            signal => kill(pid, signal),
        };
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > LONG {
                let _ = self.child.kill();
                panic!("it did not end: {}", self.said.join("\n"));
            }
            std::thread::sleep(TICK);
        };
        // Nobody holds the pipe any more, or only for a moment.
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
            self.said.push(line);
        }
        Ended {
            status,
            said: self.said.join("\n"),
        }
    }
}

/// A test that fails leaves nothing running, either.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The one line that says what went wrong.
    pub fn complaint(&self) -> &str {
        let mut lines = self
            .said
            .lines()
            .filter(|line| line.starts_with("verdict: "));
        let first = lines.next().unwrap_or_default();
        assert_eq!(lines.next(), None, "more than one: {}", self.said);
        first
    }
}
