//! What Verdict and its keeper say to each other: one JSON value a line, orders on the
//! keeper's standard input, events on its standard output.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Verdict to the keeper. The end of the stream means: stop everything, remove the folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Make this folder, and own it from now on.
    Hold(PathBuf),
    /// Start a process.
    Start(Task),
    /// Stop all processes cleanly; the folder stays until the end of the stream.
    Stop,
    /// At the end, also clean up elsewhere.
    CleanUp(Elsewhere),
}

/// What a run has outside of its folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Elsewhere {
    /// The containers with this label.
    Containers(String),
    /// The databases of this run, in the servers that the environment names.
    Databases(String),
}

/// A process for the keeper to start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// What to call it in events.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments: no secrets, for anyone can read them.
    pub args: Vec<String>,
    /// What it reads on standard input; the place for secrets.
    pub input: Option<String>,
    /// Where its output goes.
    pub log: PathBuf,
    /// The signal that stops it cleanly.
    pub signal: i32,
    /// Run it in a user namespace of its own, in which it is not root.
    pub unprivileged: bool,
}

/// The keeper to Verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Event {
    /// The folder is made and owned.
    Held,
    /// A process was started.
    Started {
        /// Its name.
        name: String,
        /// Its number.
        pid: u32,
    },
    /// A process ended.
    Exited {
        /// Its name.
        name: String,
        /// How, in words.
        status: String,
        /// Whether it ended well.
        success: bool,
    },
    /// All processes are stopped.
    Stopped,
    /// An order could not be carried out.
    Failed(String),
}
