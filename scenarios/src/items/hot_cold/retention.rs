//! What is old going: that it goes whole and nothing else does, and what that takes along months of
//! growing size.

use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, query, query_as, query_scalar};
use uuid::Uuid;
use verdict_audit::evidence::{Price, PriceOf, Retired};
use verdict_audit::{Counter, Unit, VariantName};
use verdict_baseline::hot_cold as baseline;
use verdict_optimized::hot_cold as optimized;
use verdict_oracle::same;
use verdict_store::fault::Doing;
use verdict_store::settle::settle;
use verdict_store::{Connect, Error, Fault};

use super::scene::WRITTEN;
use super::worth;
use crate::error::Result;
use crate::meters::{Meter, Postgres, tell_statistics};
use crate::session::{Depth, ROLES, Role, Session};
use crate::tally::Tally;

/// Messages of the months that are let go of, each with a reaction to every second one.
const MESSAGES: [i64; 3] = [100, 1_000, 10_000];

/// How often each is let go of; the one that took the middle time is told.
const TIMES: usize = 3;

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
pub(super) struct Cost {
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

impl Cost {
    pub fn in_all(&self) -> f64 {
        self.took + self.vacuumed
    }
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
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..TIMES {
            for (role, costs) in ROLES.into_iter().zip(&mut times) {
                costs.push(cost(session, role, *messages).await?);
            }
        }
        let [Some(today), Some(changed)] = times.map(typical) else {
            continue;
        };
        prices.extend(told(messages.unsigned_abs(), today, changed));
        costs.push((*messages as f64, today, changed));
    }
    prices.extend(worth::sooner_from(session, &costs).await?);
    prices.extend(worth::in_buffers(session).await?);
    Ok(prices)
}

fn typical(mut costs: Vec<Cost>) -> Option<Cost> {
    costs.sort_unstable_by(|one, other| one.in_all().total_cmp(&other.in_all()));
    costs.get(costs.len() / 2).copied()
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
