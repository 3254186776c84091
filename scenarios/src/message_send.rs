//! Item 2 on trial: sending, one at a time and many at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use sqlx::{FromRow, PgPool, query, query_as, query_scalar};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_audit::evidence::Answers;
use verdict_baseline::message_send::{self as baseline, Request, Sent};
use verdict_optimized::migration::Migration;
use verdict_optimized::{as_proposed, message_send as optimized};
use verdict_seed::{Conversation, World};

use crate::contract::{Tally, same, same_outcome};
use crate::error::{Doing, Result};
use crate::item::{Item, Operation, Probe};
use crate::ladder;
use crate::session::Session;

/// The operation.
pub const SEND: &str = "send";

/// Senders at once, and messages each of them sends, when concurrency is tried.
const SENDERS: usize = 8;
const MESSAGES_PER_SENDER: usize = 25;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct MessageSend;

/// Sends as one variant does.
pub async fn send(
    variant: &VariantName,
    pool: &PgPool,
    request: &Request,
) -> verdict_baseline::Result<Sent> {
    match variant {
        VariantName::Baseline => baseline::send(pool, request).await,
        VariantName::Proposed(solution) if solution.as_deref() == Some("cte") => {
            as_proposed::message_send::send_cte(pool, request).await
        }
        VariantName::Proposed(_) => as_proposed::message_send::send_trigger(pool, request).await,
        VariantName::Optimized => optimized::send(pool, request).await,
    }
}

/// A new message into a conversation, from its `k`-th member.
pub fn message(conversation: &Conversation, k: u64) -> Request {
    Request {
        id: Uuid::new_v4(),
        conversation: conversation.id,
        sender: conversation.members[k as usize % conversation.members.len()],
        content: format!("message {k} of a trial, about as long as most messages"),
        idempotency_key: None,
    }
}

/// Takes messages back: the rows, the conversation's time, and its counter where there is one.
pub async fn unsend(pool: &PgPool, conversation: &Conversation, rows: &[Uuid]) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin taking messages back")?;
    query("SET LOCAL synchronous_commit = off")
        .execute(&mut *transaction)
        .await
        .doing("make taking messages back quick")?;
    let removed = query("DELETE FROM messages WHERE id = ANY($1)")
        .bind(rows)
        .execute(&mut *transaction)
        .await
        .doing("take messages back")?
        .rows_affected();
    query(
        "UPDATE conversations
        SET updated_at = (
            SELECT created_at
            FROM messages
            WHERE conversation_id = $1
            ORDER BY created_at DESC
            LIMIT 1
        )
        WHERE id = $1",
    )
    .bind(conversation.id)
    .execute(&mut *transaction)
    .await
    .doing("set the conversation's time back")?;
    let counted: bool = query_scalar(
        "SELECT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = 'conversations'::regclass
              AND attname = 'last_sequence_number'
              AND NOT attisdropped
        )",
    )
    .fetch_one(&mut *transaction)
    .await
    .doing("look for the counter")?;
    if counted {
        query(
            "UPDATE conversations
            SET last_sequence_number = last_sequence_number - $2
            WHERE id = $1",
        )
        .bind(conversation.id)
        .bind(removed as i64)
        .execute(&mut *transaction)
        .await
        .doing("set the conversation's counter back")?;
    }
    transaction.commit().await.doing("take messages back")
}

impl Item for MessageSend {
    fn id(&self) -> &'static str {
        "message-send"
    }

    fn migration(&self, variant: &VariantName) -> Option<Migration> {
        match variant {
            VariantName::Optimized => Some(optimized::MIGRATION),
            VariantName::Proposed(solution) if solution.as_deref() == Some("trigger") => {
                Some(as_proposed::message_send::TRIGGER_MIGRATION)
            }
            _ => None,
        }
    }

    fn writes(&self) -> &'static [&'static str] {
        &["messages", "conversations"]
    }

    fn touches(&self) -> &'static [&'static str] {
        &["conversations", "messages"]
    }

    fn operations(&self, world: &World) -> Vec<Operation> {
        vec![Operation {
            name: SEND,
            rungs: ladder::conversation_sizes(world),
        }]
    }

    fn probe(
        &self,
        world: &World,
        variant: &VariantName,
        _operation: &str,
        n: u64,
    ) -> Option<Probe> {
        let conversation = Arc::new(ladder::conversation(world, n)?);
        let variant = Arc::new(variant.clone());
        let unsent = Arc::clone(&conversation);
        Some(Probe::writing(
            move |pool, k| {
                let variant = Arc::clone(&variant);
                let request = message(&conversation, k);
                async move { send(&variant, &pool, &request).await.map(|sent| sent.id) }
            },
            move |pool, rows| {
                let conversation = Arc::clone(&unsent);
                async move { unsend(&pool, &conversation, &rows).await }
            },
        ))
    }

    fn answers<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Result<Answers>> {
        Box::pin(async move {
            let mut tally = Tally::default();
            one_at_a_time(session, variant, &mut tally).await?;
            refusals(session, variant, &mut tally).await?;
            many_at_once(session, variant, &mut tally).await?;
            Ok(tally.into_answers())
        })
    }
}

/// The database a variant runs on.
fn pool<'a>(session: &'a Session<'_>, variant: &VariantName) -> &'a PgPool {
    match variant {
        VariantName::Baseline => session.baseline(),
        _ => session.trial(),
    }
}

/// Three messages into each of many conversations: the next three numbers, the same row stored,
/// the conversation's time moved.
async fn one_at_a_time(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let world = session.world();
    let mut rng = session.rng("message-send requests");
    let mut conversations: Vec<_> = (0..session.sample_size())
        .map(|_| world.sample_conversation(&mut rng))
        .collect();
    conversations.sort_by_key(|conversation| conversation.id);
    conversations.dedup_by_key(|conversation| conversation.id);
    conversations.extend(ladder::conversations_up_to(world, 10_000));
    conversations.dedup_by_key(|conversation| conversation.id);
    let pool = pool(session, variant);

    for conversation in conversations {
        let mut rows = Vec::new();
        for k in 0..3 {
            let request = message(&conversation, k);
            let due = conversation.messages as i64 + k as i64 + 1;
            let outcome = match send(variant, pool, &request).await {
                Ok(sent) => {
                    rows.push(sent.id);
                    match same("number", &due, &sent.sequence_number) {
                        Ok(()) => stored(pool, &request).await?,
                        wrong => wrong,
                    }
                }
                Err(error) => Err(error.to_string()),
            };
            tally.record(&request, outcome);
        }
        unsend(pool, &conversation, &rows).await?;
    }
    Ok(())
}

/// What a message left in the database.
#[derive(Debug, PartialEq, FromRow)]
struct Stored {
    conversation_id: Uuid,
    sender_id: Uuid,
    content: Option<String>,
    idempotency_key: Option<Uuid>,
    /// Whether the conversation's time is the message's.
    moved: bool,
}

/// The message's row is the request's, and the conversation's time is the message's.
async fn stored(pool: &PgPool, request: &Request) -> Result<std::result::Result<(), String>> {
    let stored: Option<Stored> = query_as(
        "SELECT
            m.conversation_id,
            m.sender_id,
            m.content,
            m.idempotency_key,
            m.created_at = c.updated_at AS moved
        FROM messages AS m
        JOIN conversations AS c ON c.id = m.conversation_id
        WHERE m.id = $1",
    )
    .bind(request.id)
    .fetch_optional(pool)
    .await
    .doing("read back a message")?;
    let due = Stored {
        conversation_id: request.conversation,
        sender_id: request.sender,
        content: Some(request.content.clone()),
        idempotency_key: request.idempotency_key,
        moved: true,
    };
    Ok(same("row", &Some(due), &stored))
}

/// What is refused today is refused alike, and a refusal uses up no number.
async fn refusals(session: &Session<'_>, variant: &VariantName, tally: &mut Tally) -> Result<()> {
    let world = session.world();
    let Some(conversation) = ladder::conversation(world, 100) else {
        return Ok(());
    };
    let good = Request {
        idempotency_key: Some(Uuid::new_v4()),
        ..message(&conversation, 0)
    };
    let unknown_conversation = Request {
        conversation: Uuid::new_v4(),
        ..message(&conversation, 0)
    };
    let unknown_sender = Request {
        sender: Uuid::new_v4(),
        ..message(&conversation, 0)
    };
    let same_key = Request {
        idempotency_key: good.idempotency_key,
        ..message(&conversation, 1)
    };
    let after = message(&conversation, 2);
    let requests = [
        &good,
        &unknown_conversation,
        &unknown_sender,
        &same_key,
        &good,
        &after,
    ];

    // On the baseline the two sides are the same database, one after the other.
    let mut today = Vec::new();
    for request in requests {
        today.push(baseline::send(session.baseline(), request).await);
    }
    unsend(session.baseline(), &conversation, &[good.id, after.id]).await?;
    let pool = pool(session, variant);
    for (request, today) in requests.into_iter().zip(today) {
        let answer = send(variant, pool, request).await;
        let outcome = same_outcome(today, answer).and_then(|answered| match answered {
            Some((today, answer)) => same("answer", &today, &answer),
            None => Ok(()),
        });
        tally.record(request, outcome);
    }
    unsend(pool, &conversation, &[good.id, after.id]).await
}

/// Many senders into one populated conversation: under the optimized variant the numbers are
/// the next ones, each once. Today's are not, which is declared with the count.
async fn many_at_once(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let world = session.world();
    let Some(conversation) = ladder::conversation(world, 1_000) else {
        return Ok(());
    };
    let pool = pool(session, variant);
    let senders = (0..SENDERS).map(|sender| {
        let conversation = &conversation;
        async move {
            let mut sent = Vec::new();
            for k in 0..MESSAGES_PER_SENDER {
                let request = message(conversation, (sender * MESSAGES_PER_SENDER + k) as u64);
                sent.push(send(variant, pool, &request).await);
            }
            sent
        }
    });
    let sent: Vec<_> = join_all(senders).await.into_iter().flatten().collect();
    let answered: Vec<Sent> = sent
        .iter()
        .filter_map(|sent| sent.as_ref().ok())
        .copied()
        .collect();
    let rows: Vec<Uuid> = answered.iter().map(|sent| sent.id).collect();
    unsend(pool, &conversation, &rows).await?;

    let total = SENDERS * MESSAGES_PER_SENDER;
    let numbers: BTreeSet<i64> = answered.iter().map(|sent| sent.sequence_number).collect();
    let first = conversation.messages as i64 + 1;
    let due: BTreeSet<i64> = (first..first + total as i64).collect();
    let described = format!("{SENDERS} senders at once, {MESSAGES_PER_SENDER} messages each");
    if answered.len() == total && *variant != VariantName::Optimized {
        let doubled = total - numbers.len();
        if doubled > 0 || numbers != due {
            tally.declare(format!(
                "{described}: {doubled} of {total} numbers were given twice. Today counts after \
                 inserting, outside a transaction, so this is today's own fault and no variant \
                 is held to it"
            ));
        }
        return Ok(());
    }
    let outcome = if answered.len() < total {
        let refusal = sent.into_iter().find_map(std::result::Result::err);
        Err(refusal.map_or_else(String::new, |error| error.to_string()))
    } else {
        same("numbers", &due, &numbers)
    };
    tally.record(described, outcome);
    Ok(())
}
