//! Item 12 on trial: a page of history and a message, alone and by many callers at once, with
//! pools of other settings.
//!
//! The rung is the number of messages of the conversation that is read, and that one caller alone
//! sends to; many of them send to conversations of the world's, as senders do.

mod crowd;
mod killed;
mod servers;
mod starts;
mod sweep;

use futures_util::future::BoxFuture;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{query_as, query_scalar};
use verdict_audit::{At, VariantName};
use verdict_baseline::pool::{self as today, DetailedMessage, Message, PageRequest, Sent};
use verdict_baseline::{Error as OperationError, Refused, Result as Answer};
use verdict_optimized::{as_proposed, pool as optimized};
use verdict_oracle::{Held, Hostile, Oracle, Write, ladder, message_send, pool as oracle};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Error, Fault, Store, Table};

use super::message_send::Send;
use super::sends::SENT;
use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Leaves, Operation, erase, no_such_variant};
use crate::session::Session;
use crate::tally::Tally;

/// Where it is measured: rows of the conversation, and callers at once.
const ROWS: u64 = 1_000;
const CALLERS: [u32; 4] = [1, 8, 32, 128];

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Pool;

impl Item for Pool {
    fn id(&self) -> &'static str {
        "pool"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), as_proposed::pool::CHANGE),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Page), erase(Sending)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            servers::tell(session, variant, tally).await?;
            starts::run(session, variant, tally).await?;
            killed::run(session, variant, tally).await?;
            sweep::run(session, variant, tally).await
        })
    }
}

/// Where either is measured, in this world.
fn places(world: &World) -> Vec<At> {
    let there = ladder::conversation(world, ROWS).is_some();
    let places = CALLERS.iter().filter(|_| there).map(|callers| At {
        callers: *callers,
        ..At::rung(ROWS)
    });
    places.collect()
}

/// A page as a variant reads it.
async fn page(
    store: &Store,
    variant: &VariantName,
    request: &PageRequest,
) -> Result<Answer<Vec<DetailedMessage>>, Fault> {
    let pool = &store.postgres;
    match variant {
        VariantName::Baseline | VariantName::Proposed(None) => Ok(today::page(pool, request).await),
        VariantName::Optimized => Ok(optimized::page(pool, request).await),
        _ => Err(no_such_variant(variant)),
    }
}

/// A message as a variant sends it.
async fn send(
    store: &Store,
    variant: &VariantName,
    message: &Message,
) -> Result<Answer<Sent>, Fault> {
    let pool = &store.postgres;
    match variant {
        VariantName::Baseline | VariantName::Proposed(None) => Ok(today::send(pool, message).await),
        VariantName::Optimized => Ok(optimized::send(pool, message).await),
        _ => Err(no_such_variant(variant)),
    }
}

/// A page of history.
#[derive(Debug, Clone, Copy)]
pub struct Page;

impl Operation for Page {
    type Request = PageRequest;
    type Answer = Vec<DetailedMessage>;

    fn name(&self) -> &'static str {
        "page"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        places(world)
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<PageRequest> {
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        oracle::page(oracle, &conversation, random.next_u32() as usize)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> PageRequest {
        oracle::draw_page(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &PageRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::write_between(oracle, request, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &PageRequest,
    ) -> Result<Self::Answer, Fault> {
        Ok(page(store, variant, request).await??)
    }

    fn hold(&self, oracle: &Oracle, request: &PageRequest, answer: &Self::Answer) -> Held {
        oracle::hold_page(oracle, request, answer)
    }
}

/// A message.
#[derive(Debug, Clone, Copy)]
pub struct Sending;

impl Operation for Sending {
    type Request = Message;
    type Answer = Result<Sent, Refused>;

    fn name(&self) -> &'static str {
        "send"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        places(world)
    }

    fn writes(&self) -> &'static [Table] {
        SENT
    }

    fn leaves(&self) -> Leaves {
        Leaves::Rows
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Message> {
        if at.callers > 1 {
            return Some(oracle::message(oracle, random));
        }
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        Some(message_send::message(&conversation, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Message {
        oracle::draw_message(oracle, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        message: &Message,
    ) -> Result<Self::Answer, Fault> {
        match send(store, variant, message).await? {
            Ok(sent) => Ok(Ok(sent)),
            Err(OperationError::Refused(refused)) => Ok(Err(refused)),
            Err(fault) => Err(fault.into()),
        }
    }

    fn hold(&self, oracle: &Oracle, message: &Message, answer: &Self::Answer) -> Held {
        oracle::hold_message(oracle, message, answer)
    }

    fn reads_back(&self) -> bool {
        true
    }

    fn acknowledged(&self, answer: &Self::Answer) -> u64 {
        u64::from(answer.is_ok())
    }

    async fn hold_left(
        &self,
        store: &Store,
        message: &Message,
        answer: &Self::Answer,
    ) -> Result<Held, Error> {
        let (row, messages): (Option<Json<Map<String, Value>>>, i64) = query_as(
            "SELECT
                (SELECT TO_JSONB(m) FROM messages AS m WHERE id = $1),
                (SELECT COUNT(*) FROM messages WHERE conversation_id = $2)",
        )
        .bind(message.id)
        .bind(message.conversation)
        .fetch_one(&store.postgres)
        .await
        .doing("read back a message")?;
        let row = row.as_ref().map(|row| &row.0);
        Ok(oracle::hold_stored(message, answer, row, messages))
    }

    async fn undo(&self, store: &Store, messages: Vec<Message>) -> Result<u64, Error> {
        unsend(store, messages).await
    }
}

/// Takes messages back; how many were there.
async fn unsend(store: &Store, mut messages: Vec<Message>) -> Result<u64, Error> {
    messages.sort_unstable_by_key(|message| message.conversation);
    Send.undo(store, messages).await
}

/// How many messages there are.
async fn stored(store: &Store) -> Result<i64, Error> {
    query_scalar("SELECT COUNT(*) FROM messages")
        .fetch_one(&store.postgres)
        .await
        .doing("count messages")
}
