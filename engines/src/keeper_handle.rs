//! Verdict's end of a keeper.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::Error;
use crate::commands::KEEPER;
use crate::heir::{Heir, Seen};
use crate::protocol::{Elsewhere, Event, Order, Task};

/// How long a keeper may take to stop its engines and remove its folder; a little more than
/// the keeper itself gives the engines.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the keeper may be silent before it is woken, in case that somebody stopped it.
const SILENCE: Duration = Duration::from_secs(1);
/// What a process says when a disk is full.
const FULL: &str = "No space left on device";
/// Lines of a log that are worth showing.
const TAIL: usize = 15;

/// A running keeper with the folder it owns. Dropping it ends both.
#[derive(Debug)]
pub(crate) struct KeeperHandle {
    child: Child,
    orders: Mutex<Option<ChildStdin>>,
    events: watch::Receiver<Seen>,
    folder: PathBuf,
    elsewhere: Option<Elsewhere>,
}

impl KeeperHandle {
    /// Starts a keeper that owns `folder`, which must not exist yet.
    pub(crate) async fn hold(host: &Path, folder: PathBuf) -> Result<Self, Error> {
        let mut child = Command::new(host)
            .arg(KEEPER)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It outlives Verdict for a moment, and must not keep its terminal or pipe open.
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io("starting", host))?;
        let (sender, events) = watch::channel(Seen::default());
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if let Ok(event) = serde_json::from_str(&line) {
                        sender.send_modify(|seen| seen.events.push(event));
                    }
                }
                sender.send_modify(|seen| seen.gone = true);
            });
        }
        let orders = Mutex::new(child.stdin.take());
        let keeper = Self {
            child,
            orders,
            events,
            folder,
            elsewhere: None,
        };
        keeper.order(&Order::Hold(keeper.folder.clone()))?;
        keeper
            .until(|event| matches!(event, Event::Held).then_some(()))
            .await?;
        Ok(keeper)
    }

    /// The folder that the keeper owns.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the log of a process goes.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn order(&self, order: &Order) -> Result<(), Error> {
        let broken = |error: &dyn std::fmt::Display| Error::Keeper {
            what: format!("took no order ({error})"),
        };
        let mut line = serde_json::to_string(order).map_err(|error| broken(&error))?;
        line.push('\n');
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let pipe = orders.as_mut().ok_or_else(|| broken(&"it is stopping"))?;
        pipe.write_all(line.as_bytes())
            .map_err(|error| broken(&error))
    }

    /// Starts a process.
    pub(crate) fn start(&self, task: Task) -> Result<(), Error> {
        self.order(&Order::Start(task))
    }

    /// Has the keeper clean up elsewhere at the end, too.
    pub(crate) fn clean_up(&mut self, elsewhere: Elsewhere) -> Result<(), Error> {
        self.elsewhere = Some(elsewhere.clone());
        self.order(&Order::CleanUp(elsewhere))
    }

    /// Who does its work when it is gone.
    pub(crate) fn heir(&self) -> Heir {
        Heir {
            events: self.events.clone(),
            folder: self.folder.clone(),
            elsewhere: self.elsewhere.clone(),
        }
    }

    fn wake(&self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
        }
    }

    /// Stops all processes; the folder stays. An error where one has ended otherwise than well,
    /// now or before.
    pub(crate) async fn stop_processes(&self) -> Result<(), Error> {
        self.order(&Order::Stop)?;
        self.until(|event| matches!(event, Event::Stopped).then_some(()))
            .await?;
        let failed = self.events.borrow().events.iter().find_map(|event| {
            let Event::Exited {
                name,
                status,
                success: false,
            } = event
            else {
                return None;
            };
            Some((name.clone(), status.clone()))
        });
        match failed {
            Some((name, status)) => Err(self.died(&name, status)),
            None => Ok(()),
        }
    }

    /// Waits for the end of the process `name`; an error unless it ended well.
    pub(crate) async fn success(&self, name: &str) -> Result<(), Error> {
        let (status, success) = self.ended(name).await?;
        if success {
            Ok(())
        } else {
            Err(self.died(name, status))
        }
    }

    /// Waits until `probe` answers, or the process ends, or the time is up.
    pub(crate) async fn ready<T, E: std::fmt::Display>(
        &self,
        name: &str,
        patience: Duration,
        probe: impl AsyncFn() -> Result<T, E>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + patience;
        let answer = async {
            loop {
                match probe().await {
                    Ok(answer) => return Ok(answer),
                    Err(error) if Instant::now() > deadline => return Err(error.to_string()),
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::select! {
            answer = answer => answer.map_err(|error| self.died(name, format!("did not answer within {} s ({error})", patience.as_secs()))),
            ended = self.ended(name) => {
                let (status, _) = ended?;
                Err(self.died(name, status))
            }
        }
    }

    async fn ended(&self, name: &str) -> Result<(String, bool), Error> {
        self.until(|event| match event {
            Event::Exited {
                name: ended,
                status,
                success,
            } if ended == name => Some((status.clone(), *success)),
            _ => None,
        })
        .await
    }

    fn died(&self, name: &str, what: String) -> Error {
        let log = read_lossy(&self.log(name));
        if log.contains(FULL) {
            return self.full();
        }
        let lines: Vec<&str> = log.lines().collect();
        Error::EngineDied {
            engine: name.to_owned(),
            what,
            log: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
        }
    }

    fn full(&self) -> Error {
        Error::DiskFull {
            path: self.folder.clone(),
        }
    }

    /// An error if a process has written into its log that the disk is full.
    pub(crate) fn disk_has_room(&self) -> Result<(), Error> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten();
        let mut logs = entries.flatten().map(|entry| entry.path());
        let full = |path: PathBuf| {
            path.extension().is_some_and(|of| of == "log") && read_lossy(&path).contains(FULL)
        };
        if logs.any(full) {
            return Err(self.full());
        }
        Ok(())
    }

    async fn until<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> Result<T, Error> {
        let mut events = self.events.clone();
        loop {
            {
                let seen = events.borrow_and_update();
                if let Some(found) = seen.events.iter().find_map(&wanted) {
                    return Ok(found);
                }
                if let Some(words) = seen.events.iter().find_map(|event| match event {
                    Event::Failed(words) => Some(words.clone()),
                    _ => None,
                }) {
                    return Err(Error::Keeper {
                        what: format!("said: {words}"),
                    });
                }
                if seen.gone {
                    return Err(Error::Keeper {
                        what: "has ended".to_owned(),
                    });
                }
            }
            match tokio::time::timeout(SILENCE, events.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    return Err(Error::Keeper {
                        what: "has ended".to_owned(),
                    });
                }
                Err(_) => self.wake(),
            }
        }
    }

    /// Closes the pipe, which is the order to end; whether it was still open.
    fn close(&self) -> bool {
        self.orders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .is_some()
    }

    /// Ends the keeper and waits, for a bounded time, until its folder is gone. What it does not
    /// do is done in its place, and an error all the same. Blocks the thread.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.close();
        let deadline = Instant::now() + PATIENCE;
        let what = loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => break format!("ended with {status}"),
                Ok(None) if Instant::now() > deadline => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break format!("did not stop its engines within {} s", PATIENCE.as_secs());
                }
                Ok(None) => {
                    self.wake();
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(Error::io("waiting for", "the keeper")(error)),
            }
        };
        self.heir().put_away()?;
        Err(Error::Keeper { what })
    }
}

impl Drop for KeeperHandle {
    fn drop(&mut self) {
        if self.close() {
            let _ = self.end();
        }
    }
}

fn read_lossy(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
