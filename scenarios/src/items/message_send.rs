//! Item 2 on trial: sending, one at a time and many at once.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, join_all};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sqlx::query_as;
use sqlx::types::Json;
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_send::{self as baseline, Request, Sent, unsend};
use verdict_baseline::{Error as OperationError, Refused};
use verdict_optimized::{as_proposed, message_send as optimized};
use verdict_oracle::message_send::{self as oracle, Stored};
use verdict_oracle::{Difference, Held, Oracle, ladder, same};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Error, Fault, Store, Table};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Leaves, Operation, erase, no_such_variant};
use crate::session::Session;
use crate::tally::Tally;

/// Senders at once, and messages each of them sends, when concurrency is tried.
const SENDERS: usize = 8;
const MESSAGES_PER_SENDER: usize = 25;

/// Messages in a row, when the numbers that follow each other are tried.
const ROW: usize = 20;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct MessageSend;

const WRITES: &[Table] = &[
    Table::postgres("messages"),
    Table::postgres("conversations"),
];

/// The variants by the names of the audit's solutions.
const CTE: &str = "cte";
const TRIGGER: &str = "trigger";

impl Item for MessageSend {
    fn id(&self) -> &'static str {
        "message-send"
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        let proposed = |solution: &str| VariantName::Proposed(Some(solution.to_owned()));
        vec![
            (VariantName::Baseline, Change::NONE),
            (proposed(CTE), Change::NONE),
            (proposed(TRIGGER), as_proposed::message_send::TRIGGER),
            (
                VariantName::Mended(Some(TRIGGER.to_owned())),
                as_proposed::message_send::MENDED_TRIGGER,
            ),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Send)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            in_a_row(session, variant, tally).await?;
            at_once(&Send, session, variant, tally).await
        })
    }
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Send;

impl Operation for Send {
    type Request = Request;
    type Answer = Result<Sent, Refused>;

    fn name(&self) -> &'static str {
        "send"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        ladder::conversation_sizes(world)
            .into_iter()
            .map(At::rung)
            .collect()
    }

    fn writes(&self) -> &'static [Table] {
        WRITES
    }

    fn leaves(&self) -> Leaves {
        Leaves::Rows
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Request> {
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        Some(oracle::message(&conversation, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Request {
        oracle::draw(oracle, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &Request,
    ) -> Result<Self::Answer, Fault> {
        let pool = &store.postgres;
        let answer = match variant {
            VariantName::Baseline => baseline::send(pool, request).await,
            VariantName::Proposed(Some(solution)) if solution == CTE => {
                as_proposed::message_send::send_cte(pool, request).await
            }
            VariantName::Proposed(Some(solution)) | VariantName::Mended(Some(solution))
                if solution == TRIGGER =>
            {
                as_proposed::message_send::send_trigger(pool, request).await
            }
            VariantName::Optimized => optimized::send(pool, request).await,
            _ => return Err(no_such_variant(variant)),
        };
        match answer {
            Ok(sent) => Ok(Ok(sent)),
            Err(OperationError::Refused(refused)) => Ok(Err(refused)),
            Err(fault) => Err(fault.into()),
        }
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, request, answer)
    }

    fn reads_back(&self) -> bool {
        true
    }

    async fn hold_left(
        &self,
        store: &Store,
        request: &Request,
        answer: &Self::Answer,
    ) -> Result<Held, Error> {
        let stored = stored(store, request).await?;
        Ok(oracle::hold_stored(request, answer, &stored))
    }

    fn acknowledged(&self, answer: &Self::Answer) -> u64 {
        u64::from(answer.is_ok())
    }

    async fn undo(&self, store: &Store, requests: Vec<Request>) -> Result<u64, Error> {
        let mut taken = 0;
        let mut rest = &requests[..];
        // Requests of one probe go to one conversation; those of a check come one by one.
        while let Some(first) = rest.first() {
            let run = rest
                .iter()
                .take_while(|request| request.conversation == first.conversation)
                .count();
            let (together, others) = rest.split_at(run);
            let ids: Vec<Uuid> = together.iter().map(|request| request.id).collect();
            taken += unsend(&store.postgres, first.conversation, &ids)
                .await
                .doing("take messages back")?;
            rest = others;
        }
        Ok(taken)
    }
}

/// What is found in the database after a send.
async fn stored(store: &Store, request: &Request) -> Result<Stored, Error> {
    let row: Option<(Json<Columns>,)> =
        query_as("SELECT TO_JSONB(m) FROM messages AS m WHERE id = $1")
            .bind(request.id)
            .fetch_optional(&store.postgres)
            .await
            .doing("read back a message")?;
    let (up_to, newest, updated_at, created_at, now) = query_as(
        "SELECT
            (
                SELECT COUNT(*)
                FROM messages
                WHERE conversation_id = $1
                  AND created_at <= (SELECT created_at FROM messages WHERE id = $2)
            ),
            (SELECT MAX(created_at) FROM messages WHERE conversation_id = $1),
            (SELECT updated_at FROM conversations WHERE id = $1),
            (SELECT created_at FROM messages WHERE id = $2),
            CLOCK_TIMESTAMP()",
    )
    .bind(request.conversation)
    .bind(request.id)
    .fetch_one(&store.postgres)
    .await
    .doing("read back a conversation")?;
    Ok(Stored {
        row: row.map(|(row,)| row.0),
        up_to,
        updated_at,
        newest,
        created_at,
        now,
    })
}

/// Messages one after the other into one conversation, some of them refused: the numbers follow
/// each other, and a refusal uses up none.
async fn in_a_row(session: &Session<'_>, variant: &VariantName, tally: &mut Tally) -> Outcome<()> {
    let world = session.world();
    let store = session.store(variant);
    let mut random = session.random("message-send in a row");
    let Some(conversation) = ladder::conversation(world, 100) else {
        return Ok(());
    };
    let mut sent: Vec<Request> = Vec::new();
    let mut outcome = Ok(());
    let mut acknowledged: Vec<(Request, Sent)> = Vec::new();
    for _ in 0..ROW {
        let mut request = oracle::message(&conversation, &mut random);
        let due = match (random.random_range(0..4), sent.last()) {
            (0, Some(last)) => {
                request.id = last.id;
                Err(Refused::Duplicate)
            }
            (1, Some(last)) => {
                request.idempotency_key = last.idempotency_key;
                Err(Refused::Duplicate)
            }
            (2, _) => {
                request.sender = session.oracle().nobody(&mut random);
                Err(Refused::UnknownSender)
            }
            _ => {
                request.idempotency_key = Some(Uuid::new_v4());
                Ok(conversation.messages as i64 + sent.len() as i64 + 1)
            }
        };
        let held = match Send.call(&store, variant, &request).await {
            Ok(answer) => {
                if let Ok(answered) = answer {
                    acknowledged.push((request.clone(), answered));
                }
                same(
                    "number",
                    &due,
                    &answer.map(|answered| answered.sequence_number),
                )
            }
            Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => {
                outcome = Err(error.into());
                break;
            }
        };
        if due.is_ok() {
            sent.push(request.clone());
        }
        tally.record(format_args!("in a row {request:?}"), held);
    }
    // A refusal has left what was there before as it was.
    let rows: Vec<(&Request, Sent)> = acknowledged
        .iter()
        .map(|(request, sent)| (request, *sent))
        .collect();
    let found = found(&store, conversation.id, &rows).await;
    Send.undo(&store, sent).await?;
    for ((request, _), (row, _)) in rows.iter().zip(&found?) {
        let held = oracle::hold_row(request, row.as_ref());
        tally.record(format_args!("in a row, afterwards {request:?}"), held);
    }
    outcome
}

/// Many senders into one populated conversation: the numbers of the optimized variant are the
/// next ones, each once, and each its own row's. Today's are not, which is declared with the
/// count.
///
/// # Errors
/// What the harness could not do.
pub async fn at_once(
    send: &impl Operation<Request = Request, Answer = Result<Sent, Refused>>,
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let Some(conversation) = ladder::conversation(session.world(), 1_000) else {
        return Ok(());
    };
    let store = session.store(variant);
    let mut random = session.random("message-send at once");
    let requests: Vec<Vec<Request>> = (0..SENDERS)
        .map(|_| {
            (0..MESSAGES_PER_SENDER)
                .map(|_| oracle::message(&conversation, &mut random))
                .collect()
        })
        .collect();
    let senders = requests.iter().map(|requests| {
        let store = &store;
        async move {
            let mut answers = Vec::new();
            for request in requests {
                answers.push(send.call(store, variant, request).await);
            }
            answers
        }
    });
    let answers: Vec<_> = join_all(senders).await.into_iter().flatten().collect();
    let requests: Vec<Request> = requests.into_iter().flatten().collect();

    let mut rows = Vec::new();
    let mut fault = None;
    for (request, answer) in requests.iter().zip(answers) {
        match answer {
            Ok(Ok(sent)) => rows.push((request, sent)),
            Ok(Err(refused)) => fault = Some(Difference(refused.to_string())),
            Err(Fault::Variant(refusal)) => fault = Some(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => {
                send.undo(&store, requests.clone()).await?;
                return Err(error.into());
            }
        }
    }
    let found = found(&store, conversation.id, &rows).await;
    send.undo(&store, requests.clone()).await?;
    let found = found?;

    let described = format!("{SENDERS} senders at once, {MESSAGES_PER_SENDER} messages each");
    if let Some(fault) = fault {
        tally.record(&described, Err(fault));
        return Ok(());
    }
    for ((request, sent), (row, _)) in rows.iter().zip(&found) {
        let held = same("id", &request.id, &sent.id)
            .and_then(|()| oracle::hold_row(request, row.as_ref()));
        tally.record(format_args!("{described}: {request:?}"), held);
    }
    let misnumbered = rows
        .iter()
        .zip(&found)
        .filter(|((_, sent), (_, place))| *place != Some(sent.sequence_number));
    if *variant == VariantName::Optimized {
        for ((request, sent), (_, place)) in rows.iter().zip(&found) {
            let held = same("number", place, &Some(sent.sequence_number));
            tally.record(format_args!("{described}: {request:?}"), held);
        }
    } else if misnumbered.clone().count() > 0 {
        tally.declare(format!(
            "{described}: {} of {} were given another number than their row's. Today counts after \
             inserting, outside a transaction, so this is today's own fault and no variant is \
             held to it",
            misnumbered.count(),
            rows.len()
        ));
    }
    Ok(())
}

/// A row as it is stored, every column.
type Columns = serde_json::Map<String, serde_json::Value>;

/// A row as it is stored, and its place in its conversation by time, counted from 1.
type Found = (Option<Columns>, Option<i64>);

/// What is stored of each of a conversation's messages that were acknowledged.
async fn found(
    store: &Store,
    conversation: Uuid,
    rows: &[(&Request, Sent)],
) -> Result<Vec<Found>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|(request, _)| request.id).collect();
    let stored: Vec<(Uuid, Json<Columns>, i64)> = query_as(
        "SELECT id, row, place
        FROM (
            SELECT
                id,
                TO_JSONB(m) AS row,
                ROW_NUMBER() OVER (ORDER BY created_at, id) AS place
            FROM messages AS m
            WHERE conversation_id = $2
        ) AS placed
        WHERE id = ANY($1)",
    )
    .bind(&ids)
    .bind(conversation)
    .fetch_all(&store.postgres)
    .await
    .doing("read back messages")?;
    let mut stored: HashMap<Uuid, Found> = stored
        .into_iter()
        .map(|(id, row, place)| (id, (Some(row.0), Some(place))))
        .collect();
    Ok(ids
        .iter()
        .map(|id| stored.remove(id).unwrap_or_default())
        .collect())
}
