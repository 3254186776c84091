//! The service in a process of its own, so that it and whoever loads it share neither runtime
//! nor memory.
//!
//! The parent holds the other end of its standard input. However the parent ends, the kernel
//! closes that end, and the service stops.

use std::env::ArgsOs;
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use verdict_engines::{ClickHouseAddress, RedisAddress};

use crate::error::{Error, Result};
use crate::last_words::LastWords;
use crate::serve::{GRACE, serve};
use crate::sides::{SideAddress, Sides};

/// The hidden command of the `verdict` program.
const SERVICE: &str = "service";
/// How long the process may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the end of the process is looked for.
const TICK: Duration = Duration::from_millis(5);
/// The same while it is under load, and not about to end.
const WATCH: Duration = Duration::from_millis(100);

/// The one line that the parent writes: connection strings, which are no business of whoever
/// lists processes.
#[derive(Serialize, Deserialize)]
struct Addresses {
    baseline: Address,
    optimized: Address,
}

#[derive(Serialize, Deserialize)]
struct Address {
    postgres: String,
    clickhouse: ClickHouseAddress,
    redis: RedisAddress,
}

impl From<&SideAddress> for Address {
    fn from(side: &SideAddress) -> Self {
        Self {
            postgres: side.postgres.to_url_lossy().into(),
            clickhouse: side.clickhouse.clone(),
            redis: side.redis.clone(),
        }
    }
}

impl Address {
    fn side(self) -> sqlx::Result<SideAddress> {
        Ok(SideAddress {
            postgres: self.postgres.parse::<PgConnectOptions>()?,
            clickhouse: self.clickhouse,
            redis: self.redis,
        })
    }
}

/// The one line that the service writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Listening(SocketAddr),
    Failed(String),
}

/// A running service. Dropping it stops the service, within a bounded time.
#[derive(Debug)]
pub struct ServiceProcess {
    child: Child,
    input: Option<ChildStdin>,
    words: LastWords,
    url: String,
}

impl ServiceProcess {
    /// Starts the service on a free loopback port and waits until it listens, which takes
    /// milliseconds; blocks the thread for that time. `host_program` is one whose `main` calls
    /// [`dispatch`]. The databases are connected to on first use.
    ///
    /// # Errors
    /// When the program cannot be started, or does not listen within 10 s.
    pub fn spawn(host_program: &Path, sides: &Sides) -> Result<Self> {
        let mut child = Command::new(host_program)
            .arg(SERVICE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| Error::Spawn {
                program: host_program.to_owned(),
                source,
            })?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let errors: Box<dyn Read + Send> = match child.stderr.take() {
            Some(errors) => Box::new(errors),
            None => Box::new(std::io::empty()),
        };
        // From here on an early return stops the child.
        let mut service = Self {
            child,
            input,
            words: LastWords::of(errors),
            url: String::new(),
        };
        service.tell(sides)?;
        let (sender, event) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            if let Some(output) = output
                && BufReader::new(output).read_line(&mut line).is_ok()
            {
                let _ = sender.send(line);
            }
        });
        let line = event.recv_timeout(PATIENCE).map_err(|_| {
            service.failed(format!("did not listen within {} s", PATIENCE.as_secs()))
        })?;
        match serde_json::from_str(&line) {
            Ok(Event::Listening(address)) => {
                service.url = format!("http://{address}");
                Ok(service)
            }
            Ok(Event::Failed(what)) => Err(service.failed(what)),
            Err(_) => Err(service.failed("ended before it listened".to_owned())),
        }
    }

    fn tell(&mut self, sides: &Sides) -> Result<()> {
        let addresses = Addresses {
            baseline: Address::from(&sides.baseline),
            optimized: Address::from(&sides.optimized),
        };
        let told = serde_json::to_string(&addresses)
            .map_err(std::io::Error::from)
            .and_then(|line| match &mut self.input {
                Some(input) => writeln!(input, "{line}"),
                None => Err(std::io::ErrorKind::BrokenPipe.into()),
            });
        told.map_err(|error| self.failed(format!("did not take its orders ({error})")))
    }

    fn failed(&self, what: String) -> Error {
        let said = self.words.told();
        Error::Process { what, said }
    }

    /// Waits for the end of the process where nobody has asked for it.
    pub async fn death(&mut self) -> Error {
        let what = loop {
            match self.child.try_wait() {
                Ok(None) => tokio::time::sleep(WATCH).await,
                Ok(Some(status)) => break format!("ended with {status}"),
                Err(error) => break format!("was lost ({error})"),
            }
        };
        let said = self.words.told();
        Error::Died { what, said }
    }

    /// Where it answers, such as `http://127.0.0.1:40123`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops accepting, lets what runs finish, and waits for the end; blocks the thread for
    /// that time, which is bounded.
    ///
    /// # Errors
    /// When requests had to be cut off, or the process had to be killed.
    pub fn stop(mut self) -> Result<()> {
        self.end()?;
        let words = self.words.text();
        if !words.is_empty() {
            eprintln!("the service said: {words}");
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.input = None;
        let deadline = Instant::now() + 2 * GRACE + PATIENCE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(self.failed(format!("ended with {status}"))),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(TICK),
                Ok(None) => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    return Err(self.failed("did not stop, and was killed".to_owned()));
                }
                Err(error) => {
                    return Err(self.failed(format!("cannot be waited for ({error})")));
                }
            }
        }
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        if self.input.is_some() {
            let _ = self.end();
        }
    }
}

/// Runs the service if `args` (the program's own, its name first) name its hidden command;
/// `None` means that the arguments are the user's. To be called first thing in `main`.
pub fn dispatch(mut args: ArgsOs) -> Option<ExitCode> {
    if args.nth(1)? != SERVICE {
        return None;
    }
    Some(match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("verdict: failed to serve: {error}");
            ExitCode::FAILURE
        }
    })
}

fn run() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let sides = match orders() {
        Ok(sides) => sides,
        Err(error) => {
            report(&Event::Failed(format!(
                "did not understand its orders: {error}"
            )))?;
            return Err(error);
        }
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let shutdown = end_of_input_or_signal()?;
            report(&Event::Listening(address))?;
            serve(listener, sides, shutdown).await?;
            Ok(())
        })
}

fn orders() -> std::result::Result<Sides, Box<dyn std::error::Error>> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    let Addresses {
        baseline,
        optimized,
    } = serde_json::from_str(&line)?;
    Ok(Sides {
        baseline: baseline.side()?,
        optimized: optimized.side()?,
    })
}

fn report(event: &Event) -> std::io::Result<()> {
    let line = serde_json::to_string(event)?;
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Ctrl-C in a terminal reaches this process as well as its parent, so it is a wish to stop
/// and not to die.
fn end_of_input_or_signal() -> std::io::Result<BoxFuture<'static, ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (tell, end) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    });
    Ok(Box::pin(async move {
        tokio::select! {
            _ = end => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }))
}
