//! From how many messages on a table for each month is worth while, by what was measured of fewer.

use sqlx::{PgPool, query_as, query_scalar};
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Unit, VariantName};
use verdict_oracle::hostile;
use verdict_store::fault::Doing;
use verdict_store::{Error, Table};

use super::retention::Cost;
use crate::error::Result;
use crate::session::{Role, Session};

/// From how many messages on a month of its own goes sooner, vacuum included, by the lines through
/// what was measured; nothing where it never does.
pub(super) async fn sooner_from(
    session: &Session<'_>,
    costs: &[(f64, Cost, Cost)],
) -> Result<Option<Price>> {
    let line = |took: fn(&(f64, Cost, Cost)) -> Cost| {
        line(costs.iter().map(|of| (of.0, took(of).in_all())))
    };
    let (Some(today), Some(changed)) = (line(|of| of.1), line(|of| of.2)) else {
        return Ok(None);
    };
    let saved_each = today.1 - changed.1;
    if saved_each <= 0.0 {
        return Ok(None);
    }
    let in_last_month: i64 = query_scalar("SELECT COUNT(*) FROM messages WHERE created_at >= $1")
        .bind(hostile::month(session.world()))
        .fetch_one(&session.store(&VariantName::Baseline).postgres)
        .await
        .doing("count a month's messages")?;
    Ok(Some(Price {
        what: PriceOf::SoonerFrom,
        baseline: in_last_month as f64,
        variant: ((changed.0 - today.0) / saved_each).max(0.0),
        unit: Unit::Count,
    }))
}

/// The line of least squares through points: where it begins, and its slope.
fn line(points: impl Iterator<Item = (f64, f64)>) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = points.collect();
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let across: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let along: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    (across > 0.0).then(|| (y - along / across * x, along / across))
}

/// Messages up to which those that are read and written all the time fit into the engine's buffers,
/// as the world's are spread over its months, and where rows lie in the order of their times: the
/// last month's of rows, and of indexes that have all months, the whole.
pub(super) async fn in_buffers(session: &Session<'_>) -> Result<Option<Price>> {
    let today = session.store(&VariantName::Baseline).postgres;
    let changed = session.store(&VariantName::Optimized).postgres;
    let (all, last, buffers): (i64, i64, i64) = query_as(
        "SELECT
            (SELECT COUNT(*) FROM messages),
            (SELECT COUNT(*) FROM messages WHERE created_at >= $1),
            (SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'shared_buffers')",
    )
    .bind(hostile::month(session.world()))
    .fetch_one(&today)
    .await
    .doing("count messages by their age")?;
    if all == 0 {
        return Ok(None);
    }
    let share = last as f64 / all as f64;
    let whole = used(&today, "messages", share).await?;
    let months = session.size(Role::Trial, Table::postgres("messages"));
    let months = months.await? as f64 * share + used(&changed, "message_keys", share).await?;
    let fit = |bytes: f64| buffers as f64 * all as f64 / bytes;
    Ok(Some(Price {
        what: PriceOf::InBuffers,
        baseline: fit(whole),
        variant: fit(months),
        unit: Unit::Count,
    }))
}

/// Bytes that are used all the time of a table of all months.
async fn used(pool: &PgPool, table: &'static str, share: f64) -> std::result::Result<f64, Error> {
    query_scalar("SELECT pg_table_size($1::regclass) * $2 + pg_indexes_size($1::regclass)")
        .bind(table)
        .bind(share)
        .fetch_one(pool)
        .await
        .doing("measure messages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_through_points_that_lie_on_it_and_none_through_one() {
        let points = [(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)];
        let (begins, slope) = line(points.into_iter()).unwrap();
        assert!((begins - 3.0).abs() < 1e-9 && (slope - 2.0).abs() < 1e-9);
        assert_eq!(line(points.into_iter().take(1)), None);
    }
}
