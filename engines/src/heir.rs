//! Who does a keeper's work when it is gone: the process that it worked for.

use std::path::PathBuf;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::Error;
use crate::folders::Lock;
use crate::keeper::{self, PATIENCE, TICK};
use crate::protocol::{Elsewhere, Event};

/// What a keeper has said.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub events: Vec<Event>,
    /// Whether it is gone.
    pub gone: bool,
}

/// Who does a keeper's work when it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Heir {
    pub events: watch::Receiver<Seen>,
    pub folder: PathBuf,
    pub elsewhere: Option<Elsewhere>,
}

impl Heir {
    /// Waits until the keeper is gone.
    pub(crate) async fn bereaved(&self) {
        // An error is that nobody listens to it any more, which is so from its end on.
        let _ = self.events.clone().wait_for(|seen| seen.gone).await;
    }

    pub(crate) fn is_bereaved(&self) -> bool {
        self.events.borrow().gone
    }

    /// Waits, for a bounded time, until the engines are gone, which end with a keeper, and removes
    /// the folder and what is elsewhere. Blocks the thread.
    pub(crate) fn put_away(&self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        for engine in self.engines() {
            while kill(engine, None).is_ok() {
                if Instant::now() > deadline {
                    let _ = kill(engine, Signal::SIGKILL);
                    break;
                }
                std::thread::sleep(TICK);
            }
        }
        // What is left is swept at the next start.
        self.elsewhere.clone().map(keeper::clean_up);
        Lock::wait(&self.folder)?.remove(&self.folder)
    }

    /// The processes that it started and whose end it has not told.
    fn engines(&self) -> Vec<Pid> {
        let seen = self.events.borrow();
        let ended = |started: &str| {
            seen.events
                .iter()
                .any(|event| matches!(event, Event::Exited { name, .. } if name == started))
        };
        let alive = seen.events.iter().filter_map(|event| match event {
            Event::Started { name, pid } if !ended(name) => i32::try_from(*pid).ok(),
            _ => None,
        });
        alive.map(Pid::from_raw).collect()
    }
}
