//! Whether a row of load can be what its own windows came to.

use hdrhistogram::Histogram;

use crate::catalogue::Catalogue;
use crate::evidence::{Estimate, FlowEvidence, FlowWindow};
use crate::flow_judge::judge_row;
use crate::histogram::decode;
use crate::quantile::{Unit, over_windows};
use crate::verdict::Verdict;

/// What writing and reading a number may take from it.
pub(crate) const ROUNDED: f64 = 1e-6;

/// The first figure that does not follow from the windows, or from the audit; `None` where there
/// is none.
pub(crate) fn unfounded_row(row: &FlowEvidence) -> Option<String> {
    let target = Catalogue::builtin().target(row.id);
    if row.target_ms != target.map(|target| target.target_ms(row.side)) {
        return Some(match row.target_ms {
            Some(ms) => format!("held to {ms} ms"),
            None => "held to no target".to_owned(),
        });
    }
    let due = judge_row(target, row.side, &row.load()).verdict;
    if ![due, Verdict::Wrong].contains(&row.verdict) {
        let said = row.verdict;
        return Some(format!("called {said}, and its evidence says {due}"));
    }
    let all = |of: fn(&FlowWindow) -> Option<&str>| {
        let histograms = row.windows.iter().filter_map(of).map(decode);
        histograms.collect::<Result<Vec<_>, _>>()
    };
    let (latencies, standing) = (
        all(|window| Some(&window.latencies)),
        all(|window| window.standing.as_deref()),
    );
    let (latencies, standing) = match (latencies, standing) {
        (Ok(latencies), Ok(standing)) => (latencies, standing),
        (Err(words), _) | (_, Err(words)) => return Some(words),
    };
    let held: u64 = latencies.iter().map(Histogram::len).sum();
    if held != row.requests {
        return Some(format!(
            "{} requests, of which its windows hold {held}",
            row.requests
        ));
    }
    let said = [
        (0.50, &latencies, Some(row.p50)),
        (0.95, &latencies, Some(row.p95)),
        (0.99, &latencies, Some(row.p99)),
        (0.95, &standing, row.standing_p95),
    ];
    said.into_iter().find_map(|(p, histograms, said)| {
        let said = said?;
        let windows: Vec<&Histogram<u64>> = histograms.iter().collect();
        let due = over_windows(&windows, p, Unit::Microseconds);
        let is_so = match due {
            Some(due) => near(due, said),
            None => row.requests == 0,
        };
        (!is_so).then(|| {
            let due = due.map_or("nothing".to_owned(), |due| format!("{} µs", due.value));
            format!(
                "p{:.0} of {} µs, and its windows come to {due}",
                100.0 * p,
                said.value
            )
        })
    })
}

fn near(due: Estimate, said: Estimate) -> bool {
    same([
        (Some(due.value), Some(said.value)),
        (due.lo, said.lo),
        (due.hi, said.hi),
    ])
}

/// Whether what is due and what is said are the same but for rounding, or both absent.
pub(crate) fn same(pairs: impl IntoIterator<Item = (Option<f64>, Option<f64>)>) -> bool {
    pairs.into_iter().all(|pair| match pair {
        (Some(due), Some(said)) => (due - said).abs() <= ROUNDED * due.abs().max(1.0),
        (None, None) => true,
        _ => false,
    })
}
