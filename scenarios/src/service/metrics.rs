//! `GET /metrics`: what was counted, in the text format of Prometheus.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use verdict_audit::{FlowId, Side};

use super::database::Database;
use super::serve::Databases;

/// Upper ends of the buckets, microseconds: the audit's targets (50, 100 ms) and its figures of
/// before (200, 300, 1000 ms) are among them, so that each can be read off without interpolation.
const BOUNDS: [u64; 17] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 200_000, 300_000, 500_000,
    1_000_000, 2_500_000, 10_000_000, 30_000_000,
];

/// Durations by bucket.
#[derive(Debug, Default)]
pub(super) struct Histogram {
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

    fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
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

/// The requests of every flow to each side.
pub(super) type AllRequests = Arc<[Arc<Requests>]>;

/// Requests of one flow to one side, from the request read to the response ready to be sent.
/// A request whose client went away is not among them.
#[derive(Debug)]
pub(super) struct Requests {
    flow: FlowId,
    side: Side,
    answered: Histogram,
    refused: Histogram,
    failed: Histogram,
}

impl Requests {
    /// None yet.
    pub fn new(flow: FlowId, side: Side) -> Self {
        Self {
            flow,
            side,
            answered: Histogram::default(),
            refused: Histogram::default(),
            failed: Histogram::default(),
        }
    }

    fn by_class(&self) -> [(&'static str, &Histogram); 3] {
        [
            ("2xx", &self.answered),
            ("4xx", &self.refused),
            ("5xx", &self.failed),
        ]
    }
}

/// Times a request.
pub(super) async fn record(
    State(requests): State<Arc<Requests>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status();
    let class = if status.is_success() {
        &requests.answered
    } else if status.is_client_error() {
        &requests.refused
    } else {
        &requests.failed
    };
    class.observe(began.elapsed());
    response
}

/// Everything, as text.
pub(super) async fn expose(
    State((databases, requests)): State<(Arc<Databases>, AllRequests)>,
) -> Response {
    let mut out = String::new();
    // Writing to a String cannot fail.
    match write(&mut out, &databases, &requests) {
        Ok(()) => (
            [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )],
            out,
        )
            .into_response(),
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn write(out: &mut String, databases: &Databases, requests: &[Arc<Requests>]) -> fmt::Result {
    let name = "verdict_request_duration_seconds";
    head(out, name, "histogram", "Time to answer a request.")?;
    for series in requests {
        for (class, histogram) in series.by_class() {
            let Requests { flow, side, .. } = &**series;
            let labels = format!("flow=\"{flow}\",side=\"{side}\",status=\"{class}\"");
            histogram.write(out, name, &labels)?;
        }
    }

    let name = "verdict_pool_wait_seconds";
    head(
        out,
        name,
        "histogram",
        "Time from a statement's wish for a connection to having one.",
    )?;
    for database in databases.each() {
        let labels = format!("side=\"{}\"", database.side);
        database.waits.write(out, name, &labels)?;
    }
    gauge(
        out,
        databases,
        "verdict_pool_connections_max",
        "gauge",
        "Connections that a pool may have.",
        |database| database.pool.options().get_max_connections().into(),
    )?;
    gauge(
        out,
        databases,
        "verdict_pool_connections",
        "gauge",
        "Connections that a pool has.",
        |database| database.pool.size().into(),
    )?;
    gauge(
        out,
        databases,
        "verdict_pool_connections_idle",
        "gauge",
        "Connections that nobody uses.",
        |database| database.pool.num_idle() as u64,
    )?;
    gauge(
        out,
        databases,
        "verdict_pool_connections_in_use",
        "gauge",
        "Connections that an operation uses.",
        |database| u64::from(database.pool.size()).saturating_sub(database.pool.num_idle() as u64),
    )?;
    gauge(
        out,
        databases,
        "verdict_pool_timeouts_total",
        "counter",
        "Operations that got no connection in time.",
        |database| database.timeouts.load(Ordering::Relaxed),
    )
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn gauge(
    out: &mut String,
    databases: &Databases,
    name: &str,
    kind: &str,
    help: &str,
    value: impl Fn(&Database) -> u64,
) -> fmt::Result {
    head(out, name, kind, help)?;
    for database in databases.each() {
        let side = database.side;
        writeln!(out, "{name}{{side=\"{side}\"}} {}", value(database))?;
    }
    Ok(())
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
