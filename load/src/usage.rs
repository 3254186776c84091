//! What the generator itself takes of the machine.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::tape::Measured;

/// What this process has used of the processors by an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    at: Instant,
    processor: Duration,
}

impl Usage {
    /// Up to now; `None` where the system does not tell.
    fn now() -> Option<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        Some(Self {
            at: Instant::now(),
            processor: duration(usage.user_time()) + duration(usage.system_time()),
        })
    }

    /// The share of all processors together that this process has used since then.
    fn share_since(self) -> Option<f64> {
        let now = Self::now()?;
        let processors = std::thread::available_parallelism().ok()?.get();
        let wall = now.at.duration_since(self.at).as_secs_f64();
        let used = now.processor.saturating_sub(self.processor).as_secs_f64();
        // The system's two clocks are not quite one.
        (wall > 0.0).then(|| (used / (wall * processors as f64)).min(1.0))
    }
}

/// The share while a window is measured; ends with it.
pub(crate) async fn share_during(window: Measured) -> Option<f64> {
    tokio::time::sleep_until(window.from.into()).await;
    let before = Usage::now();
    tokio::time::sleep_until(window.until.into()).await;
    before?.share_since()
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_busy_thread_uses_is_a_share_of_all_processors() {
        let busy = Duration::from_millis(200);
        let (before, began) = (Usage::now().unwrap(), Instant::now());
        while Usage::now().unwrap().processor - before.processor < busy {}
        let share = before.share_since().unwrap();
        let processors = std::thread::available_parallelism().unwrap().get();
        let wall = began.elapsed().as_secs_f64();
        let least = (busy.as_secs_f64() / (wall * processors as f64)).min(1.0);
        assert!(
            (least * 0.99..=1.01).contains(&share),
            "{share} for {least}"
        );
    }
}
