//! Item 5: what the candidates of one feed are: those of each source, in today's order.

use verdict_baseline::feed_tables::{Candidate, SOURCES, Source};

use crate::difference::{Held, same};
use crate::feed_tables::{Asked, due, hold_rows, rows_due};
use crate::oracle::Oracle;

/// Whether the candidates of a feed are right: those of followees, then trending ones, then those
/// of affinity, each right by itself.
///
/// # Errors
/// The first that is wrong.
pub fn hold(oracle: &Oracle, asked: &Asked, answer: &[Candidate]) -> Held {
    hold_without(oracle, None, asked, answer).map_err(|difference| {
        match is_reordered(oracle, asked, answer) {
            true => difference.at("all that are due are there, not source by source".to_owned()),
            false => difference,
        }
    })
}

/// Whether all candidates that are due are there, each as often, whatever their order.
fn is_reordered(oracle: &Oracle, asked: &Asked, answer: &[Candidate]) -> bool {
    let mut all = Vec::new();
    for source in SOURCES {
        let due = due(oracle, source, asked);
        let rows = rows_due(source, &asked.request, &due);
        all.extend(due[..rows].iter().map(|row| row.post_id));
    }
    let mut there: Vec<_> = answer.iter().map(|row| row.post_id).collect();
    all.sort_unstable();
    there.sort_unstable();
    all == there
}

/// The same where one source does not answer: the others still do.
///
/// # Errors
/// The first that is wrong.
pub fn hold_without(
    oracle: &Oracle,
    gone: Option<Source>,
    asked: &Asked,
    answer: &[Candidate],
) -> Held {
    let mut rest = answer;
    for source in SOURCES.into_iter().filter(|source| Some(*source) != gone) {
        let due = due(oracle, source, asked);
        let rows = rows_due(source, &asked.request, &due).min(rest.len());
        let (of_source, others) = rest.split_at(rows);
        hold_rows(source, &asked.request, &due, of_source)?;
        rest = others;
    }
    same("candidates of no source", &0, &rest.len())
}
