//! What PostgreSQL tells.

use verdict_monitor::postgres::{
    Cache, Connections, Listed, Postgres, SlowLog, Statement, Statements, Tables, Wait,
};
use verdict_reports::units::{bytes, count, duration, figure};

use super::layout::{Page, bar, percent, share};

pub(super) fn show(told: &Postgres, page: &mut Page) {
    page.server(&format!(
        "PostgreSQL {}, database {}, up {}",
        told.version,
        told.database,
        hours(told.up_seconds)
    ));
    if let Some(told) = page.part("Statements", &told.statements) {
        statements(told, page);
    }
    if let Some(SlowLog { from_ms }) = page.part("Log of slow statements", &told.slow_log) {
        page.line(&format!("  from {from_ms} ms on, in the server's log"));
    }
    if let Some(cache) = page.part("Pages found in PostgreSQL's own cache", &told.cache) {
        show_cache(cache, page);
    }
    if let Some(told) = page.part("Indexes and tables", &told.tables) {
        tables(told, page);
    }
    if let Some(told) = page.part("Connections", &told.connections) {
        connections(told, page);
    }
    if let Some(told) = page.part("What sessions at work waited for", &told.waits) {
        waits(told, page);
    }
}

/// A time in hours, or in days.
pub(super) fn hours(seconds: f64) -> String {
    match seconds {
        s if s < 600.0 => duration(s * 1e6),
        s if s < 48.0 * 3600.0 => format!("{} h", figure(s / 3600.0)),
        s => format!("{} days", figure(s / 86_400.0)),
    }
}

fn milliseconds(ms: f64) -> String {
    duration(1e3 * ms)
}

fn statements(told: &Statements, page: &mut Page) {
    let all = &told.all;
    let since = all.since.map_or(String::new(), |since| {
        format!(", since {}", since.format("%Y-%m-%d %H:%M UTC"))
    });
    page.line(&format!(
        "  {} different, {} calls, {} in all{since}",
        all.statements,
        count(all.calls as f64),
        milliseconds(all.total_ms)
    ));
    for missing in &told.missing {
        page.missing(missing);
    }
    page.heading("Statements by the time they take in all");
    let row = |of: &Statement| {
        let share = share(of.total_ms, all.total_ms);
        [
            bar(share),
            percent(share),
            milliseconds(of.total_ms),
            count(of.calls as f64),
            milliseconds(of.mean_ms),
            of.text.clone(),
        ]
    };
    let rows: Vec<_> = told.by_total.iter().map(row).collect();
    page.table(
        [
            "share of the time   ",
            "",
            "in all",
            "calls",
            "a call",
            "statement",
        ],
        &rows,
        "none",
    );
    page.heading("Statements above 100 ms on average, as an audit asks for them: of all databases");
    if let Some(missing) = told.above_100_ms.missing() {
        page.missing(missing);
    }
    if let Some(listed) = told.above_100_ms.told() {
        above_100_ms(listed, told, page);
    }
    page.heading("Statements by the pages they touch for each row (rows read are not counted)");
    let row = |of: &Statement| {
        let share = share(of.pages as f64, all.pages as f64);
        [
            bar(share),
            percent(share),
            figure(of.pages_a_row()),
            count(of.pages as f64),
            count(of.rows as f64),
            of.text.clone(),
        ]
    };
    let rows: Vec<_> = told.by_pages_a_row.iter().map(row).collect();
    page.table(
        [
            "share of all pages  ",
            "",
            "a row",
            "pages",
            "rows",
            "statement",
        ],
        &rows,
        "none",
    );
}

fn above_100_ms(listed: &[Listed], told: &Statements, page: &mut Page) {
    let rows: Vec<_> = listed
        .iter()
        .map(|of| {
            [
                milliseconds(of.avg_ms.into()),
                milliseconds(of.max_ms.into()),
                milliseconds(of.total_ms.into()),
                count(of.calls as f64),
                of.query.clone().unwrap_or_default(),
            ]
        })
        .collect();
    page.table(
        ["a call", "longest", "in all", "calls", "statement"],
        &rows,
        "none",
    );
    if let Some(first) = told.by_total.first().filter(|first| first.mean_ms <= 100.0) {
        page.line(&format!(
            "  the one that takes most of the time is not among them: {} a call, {} calls",
            milliseconds(first.mean_ms),
            count(first.calls as f64)
        ));
    }
}

fn show_cache(cache: &Cache, page: &mut Page) {
    page.line(&match cache.hit_ratio() {
        Some(ratio) => format!(
            "  {}  {} of {}",
            bar(ratio),
            percent(ratio),
            count((cache.hits + cache.reads) as f64)
        ),
        None => "  nothing was asked for".to_owned(),
    });
}

fn tables(told: &Tables, page: &mut Page) {
    let largest = told.unused.first().map_or(0, |index| index.bytes);
    let rows: Vec<_> = told
        .unused
        .iter()
        .map(|index| {
            [
                bar(share(index.bytes as f64, largest as f64)),
                bytes(index.bytes as f64),
                index.table.clone(),
                index.name.clone(),
            ]
        })
        .collect();
    page.line("  never looked into, and keeping nothing unique (a replica may look into them):");
    page.table(
        ["size                ", "", "table", "index"],
        &rows,
        "none",
    );
    let most = told.scanned.first().map_or(0, |table| table.rows_read);
    let rows: Vec<_> = told
        .scanned
        .iter()
        .map(|table| {
            [
                bar(share(table.rows_read as f64, most as f64)),
                count(table.rows_read as f64),
                count(table.scans as f64),
                count(table.rows_read as f64 / table.scans.max(1) as f64),
                count(table.index_scans as f64),
                count(table.rows as f64),
                table.table.clone(),
            ]
        })
        .collect();
    page.line("  read row by row, 1 000 rows or more at a time, where an index may be missing:");
    page.table(
        [
            "rows read           ",
            "",
            "times",
            "at a time",
            "by index",
            "rows",
            "table",
        ],
        &rows,
        "none",
    );
}

fn connections(told: &Connections, page: &mut Page) {
    let used = share(told.used as f64, told.limit as f64);
    page.line(&format!(
        "  {}  {} of {}, of which {} are kept for administrators",
        bar(used),
        told.used,
        told.limit,
        told.reserved
    ));
    let hidden = match told.hidden {
        0 => String::new(),
        hidden => format!("; of {hidden} no more is told to this user"),
    };
    page.line(&format!(
        "  at work {}, idle {}, idle in a transaction {}{hidden}",
        told.active, told.idle, told.idle_in_transaction
    ));
}

fn waits(told: &[Wait], page: &mut Page) {
    let all: u32 = told.iter().map(|wait| wait.seen).sum();
    let rows: Vec<_> = told
        .iter()
        .map(|wait| {
            let share = share(wait.seen.into(), all.into());
            let what = match (&wait.kind, &wait.event) {
                (Some(kind), Some(event)) => format!("{kind}: {event}"),
                _ => "nothing: at work".to_owned(),
            };
            [bar(share), percent(share), wait.seen.to_string(), what]
        })
        .collect();
    page.table(
        ["share of sessions   ", "", "seen", "waiting for"],
        &rows,
        "no session was at work",
    );
}
