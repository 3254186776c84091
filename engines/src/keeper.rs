//! The keeper: a process that owns a run's engines and its folder.
//!
//! Verdict holds the other end of its standard input. However Verdict ends, the kernel
//! closes that end, and the keeper stops the engines and removes the folder. It lives in a
//! session of its own, so a Ctrl-C meant for Verdict reaches it only through the pipe.
//!
//! One that is stopped goes on when Verdict needs it, or ends.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::Error;
use crate::commands::{LAUNCH, NAMESPACE};
use crate::folders::Lock;
use crate::protocol::{Elsewhere, Event, Order, Task};

/// How long an engine may take to stop before it is killed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How often ended processes are looked for.
pub(crate) const TICK: Duration = Duration::from_millis(20);

enum Message {
    Order(Order),
    End,
}

/// Runs the keeper until the end of its standard input or a signal.
pub(crate) fn run() -> ExitCode {
    // Fails only for the leader of a process group, which has a session of its own already.
    let _ = nix::unistd::setsid();
    // Where it cannot be had, one that is stopped stays so when Verdict is killed.
    let _ = set_pdeathsig(Signal::SIGCONT);
    // Blocked before any thread exists, so that only the thread that waits for them gets them.
    let signals = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
        .into_iter()
        .collect::<SigSet>();
    if signals.thread_block().is_err() {
        return ExitCode::FAILURE;
    }
    let (sender, messages) = channel();
    let ending = sender.clone();
    std::thread::spawn(move || {
        let _ = signals.wait();
        let _ = ending.send(Message::End);
    });
    std::thread::spawn(move || read_orders(&sender));
    Keeper {
        messages,
        folder: None,
        children: Vec::new(),
        elsewhere: None,
    }
    .work()
}

fn read_orders(sender: &Sender<Message>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(order) => {
                let _ = sender.send(Message::Order(order));
            }
            Err(error) => report(&Event::Failed(format!(
                "did not understand an order: {error}"
            ))),
        }
    }
    let _ = sender.send(Message::End);
}

/// Verdict may be gone, and then nobody reads: not an error.
fn report(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

struct Keeper {
    messages: Receiver<Message>,
    folder: Option<(PathBuf, Lock)>,
    children: Vec<Kept>,
    elsewhere: Option<Elsewhere>,
}

struct Kept {
    name: String,
    child: Child,
    signal: i32,
}

impl Keeper {
    fn work(mut self) -> ExitCode {
        loop {
            match self.messages.recv_timeout(TICK) {
                Ok(Message::Order(order)) => self.obey(order),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.reap(),
            }
        }
        self.stop();
        let cleaned = self.elsewhere.take().is_none_or(clean_up);
        match self
            .folder
            .take()
            .map(|(folder, lock)| lock.remove(&folder))
        {
            Some(Err(_)) => ExitCode::FAILURE,
            _ if !cleaned => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Hold(folder) => match Lock::wait(&folder)
                .and_then(|lock| crate::folders::private(&folder).map(|()| lock))
            {
                Ok(lock) => {
                    self.folder = Some((folder, lock));
                    report(&Event::Held);
                }
                Err(error) => report(&Event::Failed(error.to_string())),
            },
            Order::Start(task) => {
                let name = task.name.clone();
                match start(task) {
                    Ok(kept) => {
                        let pid = kept.child.id();
                        self.children.push(kept);
                        report(&Event::Started { name, pid });
                    }
                    Err(error) => report(&Event::Exited {
                        name,
                        status: format!("did not start: {error}"),
                        success: false,
                    }),
                }
            }
            Order::Stop => {
                self.stop();
                report(&Event::Stopped);
            }
            Order::CleanUp(elsewhere) => self.elsewhere = Some(elsewhere),
        }
    }

    fn reap(&mut self) {
        self.children
            .retain_mut(|kept| match kept.child.try_wait() {
                Ok(None) => true,
                Ok(Some(status)) => {
                    report(&Event::Exited {
                        name: kept.name.clone(),
                        status: format!("ended with {status}"),
                        success: status.success(),
                    });
                    false
                }
                Err(error) => {
                    report(&Event::Exited {
                        name: kept.name.clone(),
                        status: format!("was lost: {error}"),
                        success: false,
                    });
                    false
                }
            });
    }

    fn stop(&mut self) {
        for kept in &self.children {
            signal(&kept.child, kept.signal);
        }
        let deadline = Instant::now() + PATIENCE;
        while !self.children.is_empty() {
            self.reap();
            if Instant::now() > deadline {
                for kept in &mut self.children {
                    let _ = kept.child.kill();
                }
            }
            std::thread::sleep(TICK);
        }
    }
}

/// Whether it succeeded. What is left is swept at the next start.
pub(crate) fn clean_up(elsewhere: Elsewhere) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.is_ok_and(|runtime| {
        let work = async {
            match elsewhere {
                Elsewhere::Containers(label) => crate::docker::remove_labelled(&label).await,
                Elsewhere::Databases(run) => crate::run_databases::drop_own(&run).await,
            }
        };
        matches!(
            runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await }),
            Ok(Ok(()))
        )
    })
}

fn start(task: Task) -> Result<Kept, Error> {
    let Task {
        name,
        program,
        args,
        input,
        log,
        signal,
        unprivileged,
    } = task;
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(Error::io("opening", &log))?;
    let errors = file.try_clone().map_err(Error::io("opening", &log))?;
    let host = std::env::current_exe().map_err(Error::io("finding", "the verdict program"))?;
    let mut command = Command::new(host);
    command
        .arg(LAUNCH)
        .arg(std::process::id().to_string())
        .arg(signal.to_string());
    if unprivileged {
        command.arg(NAMESPACE);
    }
    command.arg("--").arg(&program).args(args);
    command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(file)
        .stderr(errors);
    let mut child = command.spawn().map_err(Error::io("starting", &program))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // A few hundred bytes fit into the pipe, so this does not wait for the reader.
        pipe.write_all(input.as_bytes())
            .map_err(Error::io("writing to", program))?;
    }
    Ok(Kept {
        name,
        child,
        signal,
    })
}

fn signal(child: &Child, number: i32) {
    if let (Ok(pid), Ok(signal)) = (i32::try_from(child.id()), Signal::try_from(number)) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
