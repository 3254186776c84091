//! Durations by bucket, in the text format of Prometheus.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use verdict_store::waits::Heard;

/// Upper ends of the buckets, microseconds: the audit's targets (50, 100 ms) and its figures of
/// before (200, 300, 1000 ms) are among them, so that each can be read off without interpolation.
const BOUNDS: [u64; 17] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 200_000, 300_000, 500_000,
    1_000_000, 2_500_000, 10_000_000, 30_000_000,
];

/// Durations by bucket.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// One for each of [`BOUNDS`], and one beyond.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// Counts a duration.
    pub fn observe(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Writes it as a histogram of Prometheus.
    pub fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
        let mut count = 0;
        for (place, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            match BOUNDS.get(place) {
                Some(bound) => {
                    let le = *bound as f64 / 1e6;
                    writeln!(out, "{name}_bucket{{{labels},le=\"{le}\"}} {count}")?;
                }
                None => writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?,
            }
        }
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        writeln!(out, "{name}_sum{{{labels}}} {seconds}")?;
        writeln!(out, "{name}_count{{{labels}}} {count}")
    }
}

impl Heard for Histogram {
    fn waited(&self, time: Duration) {
        self.observe(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_on_a_bound_counts_below_it_and_buckets_add_up() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(50));
        histogram.observe(Duration::from_micros(50_001));
        histogram.observe(Duration::from_secs(31));
        let mut text = String::new();
        histogram
            .write(&mut text, "t", "side=\"baseline\"")
            .expect("strings take any text");
        assert!(
            text.contains("t_bucket{side=\"baseline\",le=\"0.025\"} 0\n"),
            "{text}"
        );
        assert!(
            text.contains("t_bucket{side=\"baseline\",le=\"0.05\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("t_bucket{side=\"baseline\",le=\"0.1\"} 2\n"),
            "{text}"
        );
        assert!(
            text.contains("t_bucket{side=\"baseline\",le=\"30\"} 2\n"),
            "{text}"
        );
        assert!(
            text.contains("t_bucket{side=\"baseline\",le=\"+Inf\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("t_sum{side=\"baseline\"} 31.100001\n"),
            "{text}"
        );
        assert!(text.ends_with("t_count{side=\"baseline\"} 3\n"), "{text}");
    }
}
