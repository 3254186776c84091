//! What ClickHouse tells.

use verdict_monitor::clickhouse::{ClickHouse, Growth, Merges, Partition, Queries, Query, Table};
use verdict_reports::units::{bytes, count, duration, figure};

use super::layout::{Page, bar, percent, share};
use super::postgres::hours;

pub(super) fn show(told: &ClickHouse, page: &mut Page) {
    page.server(&format!(
        "ClickHouse {}, up {}",
        told.version,
        hours(told.up_seconds)
    ));
    if let Some(told) = page.part("Queries of the last day", &told.queries) {
        queries(told, page);
    }
    if let Some(told) = page.part("Tables", &told.tables) {
        tables(told, page);
    }
    if let Some(told) = page.part("Partitions", &told.partitions) {
        partitions(told, page);
    }
    if let Some(told) = page.part("Merges under way", &told.merging) {
        let rows: Vec<_> = told
            .iter()
            .map(|of| {
                [
                    bar(of.progress),
                    percent(of.progress),
                    duration(1e6 * of.seconds),
                    of.parts.to_string(),
                    bytes(of.bytes as f64),
                    of.table.clone(),
                ]
            })
            .collect();
        let heads = ["done                ", "", "for", "parts", "size", "table"];
        page.table(heads, &rows, "none");
    }
    if let Some(told) = page.part("Merges of the last day", &told.merges) {
        merges(told, page);
    }
    if let Some(told) = page.part("Growth", &told.growth) {
        growth(told, page);
    }
}

fn milliseconds(ms: f64) -> String {
    duration(1e3 * ms)
}

fn queries(told: &Queries, page: &mut Page) {
    let all = &told.all;
    page.line(&format!(
        "  {} calls, {} in all, {} rows read",
        count(all.calls as f64),
        milliseconds(all.total_ms),
        count(all.rows_read as f64)
    ));
    page.heading("Queries by the time they take in all");
    let row = |of: &Query| {
        let share = share(of.total_ms, all.total_ms);
        [
            bar(share),
            percent(share),
            milliseconds(of.total_ms),
            count(of.calls as f64),
            milliseconds(of.p50_ms),
            milliseconds(of.p95_ms),
            milliseconds(of.p99_ms),
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
            "p50",
            "p95",
            "p99",
            "query",
        ],
        &rows,
        "none",
    );
    page.heading("Queries by the rows they read for each that they answer");
    let row = |of: &Query| {
        let share = share(of.rows_read as f64, all.rows_read as f64);
        [
            bar(share),
            percent(share),
            figure(of.read_for_a_row()),
            count(of.rows_read as f64),
            count(of.rows as f64),
            of.text.clone(),
        ]
    };
    let rows: Vec<_> = told.by_rows_read.iter().map(row).collect();
    page.table(
        [
            "share of rows read  ",
            "",
            "for a row",
            "read",
            "answered",
            "query",
        ],
        &rows,
        "none",
    );
}

fn tables(told: &[Table], page: &mut Page) {
    let all: u64 = told.iter().map(|of| of.bytes).sum();
    let rows: Vec<_> = told
        .iter()
        .map(|of| {
            [
                bar(share(of.bytes as f64, all as f64)),
                bytes(of.bytes as f64),
                count(of.rows as f64),
                of.partitions.to_string(),
                of.parts.to_string(),
                of.most_parts.to_string(),
                of.engine.clone(),
                of.name.clone(),
            ]
        })
        .collect();
    page.table(
        [
            "share of these      ",
            "size",
            "rows",
            "partitions",
            "parts",
            "most in one",
            "engine",
            "table",
        ],
        &rows,
        "none",
    );
}

fn partitions(told: &[Partition], page: &mut Page) {
    let all: u64 = told.iter().map(|of| of.bytes).sum();
    let rows: Vec<_> = told
        .iter()
        .map(|of| {
            [
                bar(share(of.bytes as f64, all as f64)),
                bytes(of.bytes as f64),
                count(of.rows as f64),
                of.parts.to_string(),
                of.name.clone(),
                of.table.clone(),
            ]
        })
        .collect();
    let heads = [
        "share of these      ",
        "size",
        "rows",
        "parts",
        "partition",
        "table",
    ];
    page.table(heads, &rows, "none");
}

fn merges(told: &[Merges], page: &mut Page) {
    let all: f64 = told.iter().map(|of| of.total_ms).sum();
    let rows: Vec<_> = told
        .iter()
        .map(|of| {
            [
                bar(share(of.total_ms, all)),
                milliseconds(of.total_ms),
                count(of.merges as f64),
                count(of.rows_read as f64),
                count(of.rows as f64),
                bytes(of.bytes as f64),
                of.table.clone(),
            ]
        })
        .collect();
    page.table(
        [
            "share of these      ",
            "in all",
            "merges",
            "rows in",
            "rows out",
            "written",
            "table",
        ],
        &rows,
        "none",
    );
}

fn growth(told: &[Growth], page: &mut Page) {
    let all: u64 = told.iter().map(|of| of.bytes_a_week).sum();
    let rows: Vec<_> = told
        .iter()
        .map(|of| {
            [
                bar(share(of.bytes_a_week as f64, all as f64)),
                bytes(of.bytes_a_week as f64),
                bytes(of.bytes_a_day as f64),
                count(of.rows_a_day as f64),
                of.table.clone(),
            ]
        })
        .collect();
    page.table(
        [
            "share of these      ",
            "a week",
            "last day",
            "rows",
            "table",
        ],
        &rows,
        "nothing was inserted",
    );
}
