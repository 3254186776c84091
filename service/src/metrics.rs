//! `GET /metrics`: what was counted, in the text format of Prometheus.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use verdict_audit::Side;

use crate::database::Database;
use crate::databases::Databases;
use crate::histogram::Histogram;

/// The requests of every route to each side.
pub(crate) type AllRequests = Arc<[Arc<Requests>]>;

/// Requests of one route to one side, from the request read to the response ready to be sent.
/// A request whose client went away is not among them.
#[derive(Debug)]
pub(crate) struct Requests {
    flow: &'static str,
    side: Side,
    answered: Histogram,
    refused: Histogram,
    failed: Histogram,
}

impl Requests {
    /// None yet.
    pub fn new(flow: &'static str, side: Side) -> Self {
        Self {
            flow,
            side,
            answered: Histogram::default(),
            refused: Histogram::default(),
            failed: Histogram::default(),
        }
    }

    /// Whether it counts these.
    pub fn counts(&self, flow: &str, side: Side) -> bool {
        self.flow == flow && self.side == side
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
pub(crate) async fn record(
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
pub(crate) async fn expose(
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
        database.waits().write(out, name, &labels)?;
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
        Database::time_outs,
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
