//! What keeping flags and counts costs those who write: the WAL of a write of today's, the rows
//! that it writes, and its time without the commit. Each is made in a transaction that is given up.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool, query, query_scalar};
use uuid::Uuid;
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Counter, Unit};
use verdict_baseline::writes::reactions::react;
use verdict_oracle::ladder;
use verdict_seed::Conversation;
use verdict_store::fault::Doing;
use verdict_store::settle::settle;
use verdict_store::{Connect, Error, Table};

use super::scene::reaction;
use crate::error::Result;
use crate::items::sends::typical;
use crate::meters::{Meter, Postgres, Reading};
use crate::session::{ROLES, Role, Session};

/// Messages that each write is made to; the typical one is told.
const MESSAGES: i64 = 25;

/// A write, as today.
struct Call {
    name: &'static str,
    /// The condition that its messages are picked by.
    to: &'static str,
    write: Write,
}

enum Write {
    Reaction,
    /// To the message `$1`, by the user `$2`.
    Statement(&'static str),
}

const BARE: &str = "NOT EXISTS (SELECT FROM message_reactions WHERE message_id = m.id)
    AND NOT EXISTS (SELECT FROM message_attachments WHERE message_id = m.id)";
const LIKED: &str = "(SELECT COUNT(*) FROM message_reactions WHERE message_id = m.id) = 1";

const CALLS: [Call; 8] = [
    Call {
        name: "send",
        to: BARE,
        write: Write::Statement(
            "
INSERT INTO messages (id, conversation_id, sender_id, content)
SELECT GEN_RANDOM_UUID(), conversation_id, $2, content FROM messages WHERE id = $1",
        ),
    },
    Call {
        name: "first-reaction",
        to: BARE,
        write: Write::Reaction,
    },
    Call {
        name: "further-reaction",
        to: LIKED,
        write: Write::Reaction,
    },
    Call {
        name: "withdrawal-of-the-only-reaction",
        to: LIKED,
        write: Write::Statement(
            "DELETE FROM message_reactions WHERE message_id = $1 AND $2 IS NOT NULL",
        ),
    },
    Call {
        name: "first-file",
        to: BARE,
        write: Write::Statement(
            "
INSERT INTO message_attachments (id, message_id, file_name, file_type, file_size, s3_key)
VALUES (GEN_RANDOM_UUID(), $1, $2::text, 'text/plain', 1, '')",
        ),
    },
    Call {
        name: "recall",
        to: BARE,
        write: Write::Statement(
            "UPDATE messages SET recalled_at = NOW() WHERE id = $1 AND $2 IS NOT NULL",
        ),
    },
    Call {
        name: "deletion",
        to: BARE,
        write: Write::Statement(
            "UPDATE messages SET deleted_at = NOW() WHERE id = $1 AND $2 IS NOT NULL",
        ),
    },
    Call {
        name: "deletion-for-good",
        to: BARE,
        write: Write::Statement("DELETE FROM messages WHERE id = $1 AND $2 IS NOT NULL"),
    },
];

/// What is told of each.
const COUNTERS: [Counter; 2] = [Counter::WalBytes, Counter::RowsWritten];

const WRITTEN: &[Table] = &[
    Table::postgres("messages"),
    Table::postgres("conversations"),
    Table::postgres("message_reactions"),
    Table::postgres("message_attachments"),
];

pub(in crate::items) async fn of(item: &str, session: &Session<'_>) -> Result<Vec<Price>> {
    let Some(conversation) = ladder::conversation(session.world(), 1_000) else {
        return Ok(Vec::new());
    };
    let mut prices = Vec::new();
    let [today, changed] = ROLES.map(|role| on(session, role, &conversation));
    for ((call, today), changed) in CALLS.iter().zip(today.await?).zip(changed.await?) {
        for counter in COUNTERS {
            // WAL cannot be told everywhere.
            let (Some(today), Some(changed)) =
                (today.counted.get(&counter), changed.counted.get(&counter))
            else {
                continue;
            };
            prices.push(Price {
                what: PriceOf::PerCall {
                    item: item.parse()?,
                    operation: call.name.parse()?,
                    counter,
                },
                baseline: *today,
                variant: *changed,
                unit: counter.unit(),
            });
        }
        prices.push(Price {
            what: PriceOf::TimePerCall {
                call: call.name.to_owned(),
                callers: 1,
                many: false,
            },
            baseline: today.took_us,
            variant: changed.took_us,
            unit: Unit::Microseconds,
        });
    }
    Ok(prices)
}

/// What a call came to.
struct Cost {
    counted: Reading,
    /// The one in the middle.
    took_us: f64,
}

async fn on(session: &Session<'_>, role: Role, conversation: &Conversation) -> Result<Vec<Cost>> {
    let store = session.connect(role, None, Connect::by_one).await?;
    let mut costs = Vec::new();
    for call in &CALLS {
        costs.push(cost(&store.postgres, call, conversation).await?);
    }
    settle(&store.postgres, WRITTEN).await?;
    store.close().await;
    Ok(costs)
}

async fn cost(
    pool: &PgPool,
    call: &Call,
    conversation: &Conversation,
) -> std::result::Result<Cost, Error> {
    let picked = format!(
        "SELECT id
        FROM messages AS m
        WHERE conversation_id = $1
          AND deleted_at IS NULL
          AND recalled_at IS NULL
          AND {}
        ORDER BY created_at
        LIMIT $2",
        call.to
    );
    let messages: Vec<Uuid> = query_scalar(AssertSqlSafe(picked))
        .bind(conversation.id)
        .bind(MESSAGES)
        .fetch_all(pool)
        .await
        .doing("pick messages to write to")?;
    let mut meter = Postgres::new(pool).await;
    let mut times = Vec::new();
    if let Some(first) = messages.first() {
        given_up(pool, call, *first, conversation).await?;
    }
    flush(pool).await?;
    meter.begin().await?;
    for message in &messages {
        times.push(given_up(pool, call, *message, conversation).await?);
    }
    flush(pool).await?;
    let mut counted = meter.end().await?;
    for total in counted.values_mut() {
        *total /= messages.len().max(1) as f64;
    }
    Ok(Cost {
        counted,
        took_us: typical(times),
    })
}

/// WAL is told from images of pages between two places that are flushed, and what is given up
/// flushes none.
async fn flush(pool: &PgPool) -> std::result::Result<(), Error> {
    query("SELECT pg_logical_emit_message(true, 'verdict', '')")
        .execute(pool)
        .await
        .doing("flush WAL")?;
    Ok(())
}

async fn given_up(
    pool: &PgPool,
    call: &Call,
    message: Uuid,
    conversation: &Conversation,
) -> std::result::Result<Duration, Error> {
    let mut transaction = pool.begin().await.doing("price a write")?;
    let started = Instant::now();
    let user = conversation.members.first().copied().unwrap_or_default();
    let written = match call.write {
        Write::Reaction => react(&mut *transaction, reaction(message, user)).await,
        Write::Statement(statement) => query(statement)
            .bind(message)
            .bind(user)
            .execute(&mut *transaction)
            .await
            .map(drop),
    };
    written.doing("price a write")?;
    let took = started.elapsed();
    transaction.rollback().await.doing("price a write")?;
    Ok(took)
}
