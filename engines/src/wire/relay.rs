//! A relay between clients and one engine.

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::carry::{Carry, Look, Speaker, Way};
use super::counts::{Counts, Wire};
use super::queries::Queries;
use super::statements::{Rewrite, Statements};
use super::summary::SummaryScan;
use crate::Error;

/// How long an engine may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a relay waits for its threads at its end. They end at once when their connections
/// are closed; one that is just connecting to an engine that does not answer is left to itself.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name, or an IPv4 or IPv6 address (with or without brackets).
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bare_host().contains(':') {
            write!(f, "[{}]:{}", self.bare_host(), self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Address {
    fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

/// Listens on a loopback port and carries every connection on to an engine, whatever is said
/// on it: counts bytes and turns, and holds each direction back for a set time, so that it is
/// like a network between the two. Dropping it closes its connections.
///
/// With a time to hold back, a chunk is stamped when it is read and written when its time has
/// come, so that what is pipelined is delayed once. A client's first words on a connection
/// come two times later still, for on a real line it would have waited that long for its
/// connection. The delay is never less than asked for; threads and a short spin keep it close
/// (tokio's timer would be up to 2.4 ms late); where several wait at once, they do without the spin.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Vec<SocketAddr>,
    one_way: Duration,
    rewrite: Option<(Speaks, Rewrite)>,
    counts: Counts,
    stopping: AtomicBool,
    holding: AtomicUsize,
    open: Mutex<Open>,
    closed: Condvar,
}

/// What a client speaks whose words are looked at.
#[derive(Debug, Clone, Copy)]
enum Speaks {
    Postgres,
    Http,
}

/// The connections: both ends of each, and how many threads there are.
#[derive(Debug, Default)]
struct Open {
    next: u64,
    ends: HashMap<u64, Vec<TcpStream>>,
    threads: usize,
}

impl Relay {
    /// Starts a relay to `target` that holds each direction back for `one_way`; zero adds as
    /// little as a relay can.
    ///
    /// # Errors
    /// When the name does not resolve, or no port or thread is to be had.
    pub fn start(target: &Address, one_way: Duration) -> Result<Self, Error> {
        Self::with(target, one_way, None)
    }

    /// Starts a relay to a PostgreSQL server that sees, and may change, every statement.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn rewriting(target: &Address, rewrite: Rewrite) -> Result<Self, Error> {
        Self::with(target, Duration::ZERO, Some((Speaks::Postgres, rewrite)))
    }

    /// Starts a relay to a ClickHouse server that sees, and may change, every query, where
    /// somebody looks at queries.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn rewriting_queries(target: &Address, rewrite: Rewrite) -> Result<Self, Error> {
        Self::with(target, Duration::ZERO, Some((Speaks::Http, rewrite)))
    }

    fn with(
        target: &Address,
        one_way: Duration,
        rewrite: Option<(Speaks, Rewrite)>,
    ) -> Result<Self, Error> {
        let failed = |reason: &dyn fmt::Display| Error::Relay {
            target: target.to_string(),
            reason: reason.to_string(),
        };
        let addresses: Vec<SocketAddr> = (target.bare_host(), target.port)
            .to_socket_addrs()
            .map_err(|error| failed(&error))?
            .collect();
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| failed(&error))?;
        let port = listener
            .local_addr()
            .map_err(|error| failed(&error))?
            .port();
        let shared = Arc::new(Shared {
            target: addresses,
            one_way,
            rewrite,
            counts: Counts::default(),
            stopping: AtomicBool::new(false),
            holding: AtomicUsize::new(0),
            open: Mutex::default(),
            closed: Condvar::new(),
        });
        shared
            .spawn({
                let shared = shared.clone();
                move || accept(&listener, &shared)
            })
            .map_err(|error| failed(&error))?;
        Ok(Self { port, shared })
    }

    /// The port on 127.0.0.1 that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How long each direction is held back, as asked for.
    pub fn one_way(&self) -> Duration {
        self.shared.one_way
    }

    /// What has passed since the start. A client that has read an answer finds it counted.
    pub fn totals(&self) -> Wire {
        self.shared.counts.totals()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let open = self.shared.open();
        for end in open.ends.values().flatten() {
            let _ = end.shutdown(Shutdown::Both);
        }
        let waited = self
            .shared
            .closed
            .wait_timeout_while(open, FAREWELL, |open| open.threads > 0);
        drop(waited);
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who looks at a connection's words.
    fn look(&self) -> Option<Look> {
        let (speaks, rewrite) = self.rewrite.clone()?;
        match speaks {
            Speaks::Postgres => Some(Look::Statements(Statements::new(rewrite))),
            Speaks::Http => Some(Look::Queries(Queries::new(rewrite.queries?))),
        }
    }

    /// Runs `work` on a thread that the end of the relay waits for.
    fn spawn(self: &Arc<Self>, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        self.open().threads += 1;
        let leave = Leave(self.clone());
        // If there is no thread to be had, the closure is dropped, and `leave` with it.
        std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || {
                work();
                drop(leave);
            })
            .map(drop)
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let mut last = std::io::ErrorKind::AddrNotAvailable.into();
        for address in &self.target {
            match TcpStream::connect_timeout(address, PATIENCE) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Counts a thread out, in whatever way it ends.
struct Leave(Arc<Shared>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.open().threads -= 1;
        self.0.closed.notify_all();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        match accepted {
            // Without a thread for it, the connection is closed: the client says so.
            Ok((client, _)) => {
                let accepted_at = Instant::now();
                let serving = shared.clone();
                let _ = shared.spawn(move || {
                    // The client sees a closed connection if the engine cannot be reached.
                    let _ = serve(client, accepted_at, &serving);
                });
            }
            // Too many open files, or a client that left at once: not the relay's end.
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Carries one connection until both directions have ended.
fn serve(client: TcpStream, accepted_at: Instant, shared: &Arc<Shared>) -> std::io::Result<()> {
    let server = shared.connect()?;
    // A relay that waits for more to send would be a delay that nobody asked for.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ends = vec![client.try_clone()?, server.try_clone()?];
    let key = {
        let mut open = shared.open();
        // Under the lock: what the end of the relay does not find, it cannot close.
        if shared.stopping.load(Ordering::SeqCst) {
            return Ok(());
        }
        open.next += 1;
        let key = open.next;
        open.ends.insert(key, ends);
        key
    };
    let speaker = Speaker::new();
    let carry = |from, to, way, not_before| Carry {
        from,
        to,
        way,
        one_way: shared.one_way,
        not_before,
        speaker: &speaker,
        counts: &shared.counts,
        stopping: &shared.stopping,
        holding: &shared.holding,
    };
    let to_server = carry(
        &client,
        &server,
        Way::ToServer(shared.look()),
        accepted_at + 2 * shared.one_way,
    );
    let to_client = carry(
        &server,
        &client,
        Way::ToClient(SummaryScan::default()),
        accepted_at,
    );
    let served = std::thread::scope(|scope| {
        let answers = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn_scoped(scope, move || to_client.run());
        match answers {
            Ok(_) => {
                to_server.run();
                Ok(())
            }
            Err(error) => Err(error),
        }
    });
    shared.open().ends.remove(&key);
    served
}
