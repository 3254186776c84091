//! What is old going: that it goes whole and nothing else does, what that takes along months of
//! growing size, and from how many messages on anything of it is worth while.

use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, query, query_as, query_scalar};
use uuid::Uuid;
use verdict_audit::evidence::{Price, PriceOf, Retired};
use verdict_audit::{Counter, Unit, VariantName};
use verdict_baseline::hot_cold as baseline;
use verdict_optimized::hot_cold as optimized;
use verdict_oracle::{hostile, same};
use verdict_store::fault::Doing;
use verdict_store::settle::settle;
use verdict_store::{Connect, Error, Fault, Table};

use super::scene::WRITTEN;
use crate::error::Result;
use crate::meters::{Meter, Postgres, tell_statistics};
use crate::session::{Depth, Role, Session};
use crate::tally::Tally;

/// Messages of the months that are let go of, each with a reaction to every second one.
const MESSAGES: [i64; 3] = [100, 1_000, 10_000];

/// Conversations that they are in: one row is not updated by all of them.
const CONVERSATIONS: usize = 50;

/// The beginning of the month after the world's first.
const SECOND_MONTH: &str = "
SELECT DATE_TRUNC('month', DATE_TRUNC('month', MIN(created_at), 'UTC') + INTERVAL '40 days', 'UTC')
FROM messages";

/// Lets go of what is older than a month as a side does it.
async fn retire(
    role: Role,
    connection: &mut PgConnection,
    keep_from: DateTime<Utc>,
) -> sqlx::Result<u64> {
    match role {
        Role::Baseline => baseline::retire(connection, keep_from).await,
        Role::Trial => optimized::retire(connection, keep_from).await,
    }
}

/// Messages, and reactions to them, and files of them.
type Rows = [i64; 3];

const OLD: &str = "
WITH old AS (SELECT id FROM messages WHERE created_at < $1)
SELECT ARRAY[
    (SELECT COUNT(*) FROM old),
    (SELECT COUNT(*) FROM message_reactions WHERE message_id IN (SELECT id FROM old)),
    (SELECT COUNT(*) FROM message_attachments WHERE message_id IN (SELECT id FROM old))
]";
const ALL: &str = "
SELECT ARRAY[
    (SELECT COUNT(*) FROM messages),
    (SELECT COUNT(*) FROM message_reactions),
    (SELECT COUNT(*) FROM message_attachments)
]";

/// The world's first month goes with what belongs to it, and no other; then all comes back.
pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let store = session.store(variant);
    let mut transaction = store.postgres.begin().await.doing("let a month go")?;
    let keep_from: DateTime<Utc> = query_scalar(SECOND_MONTH)
        .fetch_one(&mut *transaction)
        .await
        .doing("see where the world begins")?;
    let connection = &mut *transaction;
    let old = rows(connection, OLD, Some(keep_from)).await?;
    let all = rows(connection, ALL, None).await?;
    let retired = retire(Role::of(variant), connection, keep_from).await;
    let retired = retired.map_err(Fault::from)?;
    let left = rows(connection, OLD, Some(keep_from)).await?;
    let kept = rows(connection, ALL, None).await?;
    transaction.rollback().await.doing("have a month back")?;
    let due: Rows = std::array::from_fn(|of| all[of] - old[of]);
    let when = format!("what is older than {keep_from} goes");
    tally.record(
        &when,
        same("messages that go", &old[0].unsigned_abs(), &retired),
    );
    tally.record(&when, same("old rows left", &[0; 3], &left));
    tally.record(&when, same("rows left", &due, &kept));
    Ok(settle(&store.postgres, WRITTEN).await?)
}

async fn rows(
    connection: &mut PgConnection,
    statement: &'static str,
    older_than: Option<DateTime<Utc>>,
) -> std::result::Result<Rows, Error> {
    let counted = query_scalar(statement);
    let counted = match older_than {
        Some(older_than) => counted.bind(older_than),
        None => counted,
    };
    let counted: Vec<i64> = counted
        .fetch_one(connection)
        .await
        .doing("count old rows")?;
    Ok(std::array::from_fn(|of| {
        counted.get(of).copied().unwrap_or_default()
    }))
}

/// What letting a month go came to.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Seconds to let it go, and to vacuum afterwards.
    took: f64,
    vacuumed: f64,
    /// Bytes of WAL; none where they cannot be told.
    wal: Option<f64>,
    /// Rows that are dead until a vacuum.
    dead: f64,
    /// Bytes that the system has back before one.
    given_back: f64,
}

/// What months of growing size cost to let go of, from which size on theirs go sooner, and from
/// how many messages on recent ones fall out of the buffers.
pub(super) async fn prices(session: &Session<'_>) -> Result<Vec<Price>> {
    let sizes = match session.depth() {
        Depth::Full => &MESSAGES[..],
        Depth::Quick => &MESSAGES[..2],
    };
    let mut prices = Vec::new();
    let mut costs = Vec::new();
    for messages in sizes {
        let today = cost(session, Role::Baseline, *messages).await?;
        let changed = cost(session, Role::Trial, *messages).await?;
        prices.extend(told(messages.unsigned_abs(), today, changed));
        costs.push((*messages as f64, today, changed));
    }
    prices.extend(sooner_from(session, &costs).await?);
    prices.extend(in_buffers(session).await?);
    Ok(prices)
}

fn told(messages: u64, today: Cost, changed: Cost) -> Vec<Price> {
    let price = |what, baseline, variant, unit| Price {
        what: PriceOf::Retention { messages, what },
        baseline,
        variant,
        unit,
    };
    let mut prices = vec![
        price(Retired::Time, today.took, changed.took, Unit::Seconds),
        price(
            Retired::Vacuum,
            today.vacuumed,
            changed.vacuumed,
            Unit::Seconds,
        ),
        price(Retired::DeadRows, today.dead, changed.dead, Unit::Count),
        price(
            Retired::GivenBack,
            today.given_back,
            changed.given_back,
            Unit::Bytes,
        ),
    ];
    if let (Some(today), Some(changed)) = (today.wal, changed.wal) {
        prices.push(price(Retired::Wal, today, changed, Unit::Bytes));
    }
    prices
}

const CONVERSE: &str = "
INSERT INTO conversations (id, conversation_type, name, created_by)
SELECT id, 'group', 'of an old month', $2
FROM UNNEST($1) AS id";

/// Earlier than all of the world, so that letting it go takes nothing else along.
const SAY: &str = "
INSERT INTO messages (id, conversation_id, sender_id, content, created_at)
SELECT
    GEN_RANDOM_UUID(),
    ($1::uuid[])[1 + number % CARDINALITY($1::uuid[])],
    $2,
    'message ' || number || ' of an old month, about as long as most messages',
    TIMESTAMPTZ '2001-01-01 00:00:00+00' + MAKE_INTERVAL(secs => number)
FROM GENERATE_SERIES(1, $3) AS number";

const REACT: &str = "
INSERT INTO message_reactions (id, message_id, user_id, emoji)
SELECT GEN_RANDOM_UUID(), id, $2, '👍'
FROM (
    SELECT id, ROW_NUMBER() OVER (ORDER BY created_at) AS number
    FROM messages
    WHERE conversation_id = ANY($1)
) AS numbered
WHERE number % 2 = 0";

const UNSAY: &str = "
DELETE FROM conversations
WHERE id = ANY($1)";

async fn cost(session: &Session<'_>, role: Role, messages: i64) -> Result<Cost> {
    let store = session.connect(role, None, Connect::by_one).await?;
    let pool = &store.postgres;
    // Not from the seeded stream: two runs on one server must not collide.
    let conversations: Vec<Uuid> = (0..CONVERSATIONS).map(|_| Uuid::new_v4()).collect();
    let user = session.world().user(0);
    for statement in [CONVERSE, SAY, REACT] {
        let filled = query(statement).bind(&conversations).bind(user);
        let filled = match statement {
            SAY => filled.bind(messages),
            _ => filled,
        };
        filled.execute(pool).await.doing("fill an old month")?;
    }
    settle(pool, WRITTEN).await?;
    let keep_from = first_month(pool).await?;
    let cost = let_go(role, pool, keep_from).await;
    query(UNSAY)
        .bind(&conversations)
        .execute(pool)
        .await
        .doing("take an old month's conversations away")?;
    settle(pool, WRITTEN).await?;
    store.close().await;
    cost
}

/// The world's first: what is earlier is the trial's own.
async fn first_month(pool: &PgPool) -> std::result::Result<DateTime<Utc>, Error> {
    query_scalar(
        "SELECT DATE_TRUNC('month', MIN(created_at), 'UTC')
        FROM messages
        WHERE created_at >= '2002-01-01'",
    )
    .fetch_one(pool)
    .await
    .doing("see where the world begins")
}

async fn let_go(role: Role, pool: &PgPool, keep_from: DateTime<Utc>) -> Result<Cost> {
    let mut meter = Postgres::new(pool).await;
    let (dead, size) = standing(pool).await?;
    meter.begin().await?;
    let started = Instant::now();
    let mut connection = pool.acquire().await.doing("let an old month go")?;
    let retired = retire(role, &mut connection, keep_from).await;
    drop(connection);
    let took = started.elapsed();
    retired.map_err(Fault::from)?;
    let counted = meter.end().await?;
    let (dead_now, size_now) = standing(pool).await?;
    let started = Instant::now();
    for statement in [
        "VACUUM messages",
        "VACUUM message_reactions",
        "VACUUM message_attachments",
    ] {
        query(statement)
            .execute(pool)
            .await
            .doing("vacuum after an old month")?;
    }
    if role == Role::Trial {
        let keys = query("VACUUM message_keys").execute(pool).await;
        keys.doing("vacuum after an old month")?;
    }
    Ok(Cost {
        took: took.as_secs_f64(),
        vacuumed: started.elapsed().as_secs_f64(),
        wal: counted.get(&Counter::WalBytes).copied(),
        dead: (dead_now - dead) as f64,
        given_back: (size - size_now) as f64,
    })
}

/// Dead rows, and bytes of tables and indexes, of all that holds messages and what belongs to them.
async fn standing(pool: &PgPool) -> std::result::Result<(i64, i64), Error> {
    tell_statistics(pool).await?;
    query_as(
        "SELECT SUM(n_dead_tup)::bigint, SUM(pg_total_relation_size(relid))::bigint
        FROM pg_stat_user_tables
        WHERE schemaname = CURRENT_SCHEMA()
          AND relname LIKE 'message%'",
    )
    .fetch_one(pool)
    .await
    .doing("see what holds messages")
}

/// From how many messages on a month of its own goes sooner, vacuum included, by the lines through
/// what was measured; nothing where it never does.
async fn sooner_from(session: &Session<'_>, costs: &[(f64, Cost, Cost)]) -> Result<Option<Price>> {
    let line = |took: fn(&(f64, Cost, Cost)) -> Cost| {
        line(costs.iter().map(|of| {
            let cost = took(of);
            (of.0, cost.took + cost.vacuumed)
        }))
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
async fn in_buffers(session: &Session<'_>) -> Result<Option<Price>> {
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
async fn used(
    pool: &PgPool,
    table: &'static str,
    share: f64,
) -> std::result::Result<f64, Error> {
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
