//! One direction of one connection: read, count, hold back, write.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::counts::Counts;
use super::queries::Queries;
use super::statements::Statements;
use super::summary::SummaryScan;

const CHUNK: usize = 64 << 10;
/// How many bytes are under way at most. More wait in the sender, as they would before a real
/// line's window; at 50 ms one way this is 640 MB/s.
const UNDER_WAY: usize = 32 << 20;
/// The last part of a wait is spent looking at the clock: a sleep that long ends too late. Only
/// where nobody else waits: many who look at the clock leave no processor to those who work.
const SPIN: Duration = Duration::from_micros(100);

/// Who spoke last on a connection, as its client sees it.
#[derive(Debug)]
pub(super) struct Speaker {
    server: AtomicBool,
}

impl Speaker {
    /// Before anybody spoke, a client's word begins a turn as if after an answer.
    pub(super) fn new() -> Self {
        Self {
            server: AtomicBool::new(true),
        }
    }

    /// Whether that begins a turn.
    fn client_speaks(&self) -> bool {
        self.server.swap(false, Ordering::SeqCst)
    }

    fn server_speaks(&self) {
        self.server.store(true, Ordering::SeqCst);
    }
}

/// Who looks at what goes to a server, and may change it.
pub(super) enum Look {
    Statements(Statements),
    Queries(Queries),
}

/// Which way bytes go, with what is counted on the way.
pub(super) enum Way {
    ToServer(Option<Look>),
    ToClient(SummaryScan),
}

impl Way {
    fn count_read(&self, bytes: usize, speaker: &Speaker, counts: &Counts) {
        if matches!(self, Self::ToServer(_)) {
            Counts::add(&counts.bytes_sent, bytes as u64);
            if speaker.client_speaks() {
                Counts::add(&counts.turns, 1);
            }
        }
    }

    /// What is to be passed on of what was read.
    fn pass<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self::ToServer(Some(Look::Statements(statements))) => {
                Cow::Owned(statements.take(bytes))
            }
            Self::ToServer(Some(Look::Queries(queries))) => Cow::Owned(queries.take(bytes)),
            _ => Cow::Borrowed(bytes),
        }
    }

    /// What is left to be passed on when the sender is done.
    fn rest(&mut self) -> Vec<u8> {
        match self {
            Self::ToServer(Some(Look::Statements(statements))) => statements.rest(),
            Self::ToServer(Some(Look::Queries(queries))) => queries.rest(),
            _ => Vec::new(),
        }
    }

    /// Before the writing: whoever reads the bytes finds them counted. And a client is
    /// answered when the answer reaches it, not while it is under way: what it says until
    /// then, it says without having waited.
    fn count_written(&mut self, bytes: &[u8], speaker: &Speaker, counts: &Counts) {
        if let Self::ToClient(scan) = self {
            Counts::add(&counts.bytes_received, bytes.len() as u64);
            if let Some(summary) = scan.see(bytes) {
                counts.add_summary(summary);
            }
            speaker.server_speaks();
        }
    }
}

/// One direction, and what both have in common.
pub(super) struct Carry<'a> {
    pub from: &'a TcpStream,
    pub to: &'a TcpStream,
    pub way: Way,
    pub one_way: Duration,
    /// Nothing counts as read before this moment.
    pub not_before: Instant,
    pub speaker: &'a Speaker,
    pub counts: &'a Counts,
    pub stopping: &'a AtomicBool,
    /// How many directions of the relay hold something back.
    pub holding: &'a AtomicUsize,
}

impl Carry<'_> {
    /// Carries until the sender is done or either end is gone. The end is passed on to the
    /// receiver, after all that came before it.
    pub(super) fn run(mut self) {
        let done = if self.one_way.is_zero() {
            self.pass_on()
        } else {
            self.hold_back()
        };
        // Without a clean end there is nothing left to say in either direction.
        let _ = match done {
            Ok(()) => self.to.shutdown(Shutdown::Write),
            Err(_) => self
                .from
                .shutdown(Shutdown::Both)
                .and(self.to.shutdown(Shutdown::Both)),
        };
    }

    fn pass_on(&mut self) -> std::io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let length = read(self.from, &mut buffer)?;
            if length == 0 {
                let rest = self.way.rest();
                return self.write(&rest);
            }
            self.way.count_read(length, self.speaker, self.counts);
            let passed = self.way.pass(&buffer[..length]);
            self.write(&passed)?;
        }
    }

    fn hold_back(&mut self) -> std::io::Result<()> {
        let mut holds = Holds::new(self.holding);
        // A timer may fire as much later as the kernel likes to bundle it with others: by
        // default 50 µs. If that cannot be changed, the wait is only less exact.
        let _ = nix::sys::prctl::set_timerslack(1);
        let mut buffer = vec![0; CHUNK];
        let mut held: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
        let (mut under_way, mut ended) = (0, false);
        loop {
            if self.stopping.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            holds.set(!held.is_empty());
            let left = held
                .front()
                .map(|(deadline, _)| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO)
                && let Some((_, chunk)) = held.pop_front()
            {
                under_way -= chunk.len();
                self.write(&chunk)?;
                continue;
            }
            if ended && left.is_none() {
                let rest = self.way.rest();
                return self.write(&rest);
            }
            // While it waits for a deadline it goes on reading, for each chunk has its own.
            let wait = left.map(|left| match self.holding.load(Ordering::Relaxed) {
                0 | 1 => left.saturating_sub(SPIN),
                _ => left,
            });
            if ended || under_way >= UNDER_WAY {
                if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                    std::thread::sleep(wait);
                }
                continue;
            }
            if !is_readable(self.from, wait)? {
                continue;
            }
            let length = read(self.from, &mut buffer)?;
            if length == 0 {
                ended = true;
                continue;
            }
            self.way.count_read(length, self.speaker, self.counts);
            let read_at = Instant::now().max(self.not_before);
            let passed = self.way.pass(&buffer[..length]).into_owned();
            under_way += passed.len();
            held.push_back((read_at + self.one_way, passed));
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.way.count_written(bytes, self.speaker, self.counts);
        let mut to = self.to;
        to.write_all(bytes)
    }
}

/// One direction among those of a relay that hold something back.
struct Holds<'a> {
    all: &'a AtomicUsize,
    one: bool,
}

impl<'a> Holds<'a> {
    fn new(all: &'a AtomicUsize) -> Self {
        Self { all, one: false }
    }

    fn set(&mut self, holds: bool) {
        match (std::mem::replace(&mut self.one, holds), holds) {
            (false, true) => self.all.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.all.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
    }
}

impl Drop for Holds<'_> {
    fn drop(&mut self) {
        self.set(false);
    }
}

fn read(mut from: &TcpStream, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Whether there is something to read (or the end) before the time is up; `None` waits for it.
fn is_readable(stream: &TcpStream, wait: Option<Duration>) -> std::io::Result<bool> {
    let mut polled = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    match ppoll(&mut polled, wait.map(TimeSpec::from_duration), None) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
