//! The end of what a process says on its standard error.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes that are kept: a panic with its first frames.
const KEPT: usize = 2_000;
/// How long the end of a process that has ended may take to be read.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(2);

/// Reads a process's standard error to its end and keeps the last of it.
#[derive(Debug)]
pub(crate) struct LastWords {
    kept: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl LastWords {
    /// Of what is read from here.
    pub fn of(mut from: impl Read + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&kept);
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; KEPT];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                let mut kept = ours.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..read]);
                let excess = kept.len().saturating_sub(KEPT);
                kept.drain(..excess);
            }
        });
        Self { kept, reading }
    }

    /// What was kept, of a process that has ended or is about to.
    pub fn text(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while !self.reading.is_finished() && Instant::now() < deadline {
            std::thread::sleep(TICK);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }

    /// The same as a part of a sentence.
    pub fn told(&self) -> String {
        match self.text() {
            words if words.is_empty() => "it said nothing".to_owned(),
            words => format!("it said: {words}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_however_much_is_said_the_end_is_kept() {
        let mut long = "a warning, again and again\n".repeat(100_000);
        long.push_str("the last one\n");
        let words = LastWords::of(std::io::Cursor::new(long)).text();
        assert!(words.len() <= KEPT && words.ends_with("again\nthe last one"));
        let silent = LastWords::of(std::io::empty());
        assert_eq!(silent.told(), "it said nothing");
    }
}
