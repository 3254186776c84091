//! The conversation around a month's beginning, as today reads it and sends to it: pages of history,
//! pages behind a cursor, searches and sends, with writes of every kind between equal reads.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_search::Sort;
use verdict_baseline::{message_history, message_search, message_send};
use verdict_oracle::hostile::border_conversation;
use verdict_oracle::indexes::LIMITS;
use verdict_oracle::pagination::{PageRequest, messages_page};
use verdict_oracle::{Held, Oracle, Write, message_send as sent};
use verdict_seed::World;
use verdict_store::{Error, Fault, Store, Table};

use crate::error::Result as Outcome;
use crate::items::message_history::HistoryPage;
use crate::items::message_search::Search;
use crate::items::message_send::Send;
use crate::items::pagination::History;
use crate::operation::{Between, Check, Effort, Leaves, Operation, erase};
use crate::session::Session;
use crate::tally::Tally;

/// Answers of each that are held.
const ANSWERS: u64 = 60;

/// Rows before a page at the most, a few more than there are.
const OFFSET: i64 = 64;

/// Words that are said there, and some that find nothing.
const TEXTS: [&str; 4] = ["lantern", "meridian", "消息", "the and of"];

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let today = VariantName::Baseline;
    let history = There {
        inner: HistoryPage::First,
        by: today.clone(),
        draw: history,
    };
    let cursors = There {
        inner: History,
        by: VariantName::Optimized,
        draw: page,
    };
    let searches = There {
        inner: Search::Common,
        by: today.clone(),
        draw: search,
    };
    let sends = There {
        inner: Send,
        by: today,
        draw: send,
    };
    let store = session.store(variant);
    for operation in [
        erase(history),
        erase(cursors),
        erase(searches),
        erase(sends),
    ] {
        let check = Check {
            oracle: session.oracle(),
            store: &store,
            calls: &store,
            variant,
            effort: Effort::trial(ANSWERS),
            seed: session.seed(operation.name()),
            until_wrong: false,
        };
        operation.check(check, tally).await?;
    }
    Ok(())
}

/// Another item's operation as one of its variants does it, whose requests are to the
/// conversation.
struct There<O: Operation> {
    inner: O,
    by: VariantName,
    draw: fn(&Oracle, &mut ChaCha8Rng) -> O::Request,
}

impl<O: Operation> Operation for There<O> {
    type Request = O::Request;
    type Answer = O::Answer;

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        self.inner.rungs(world)
    }

    fn writes(&self) -> &'static [Table] {
        self.inner.writes()
    }

    fn leaves(&self) -> Leaves {
        self.inner.leaves()
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<O::Request> {
        self.inner.at(oracle, at, random)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> O::Request {
        (self.draw)(oracle, random)
    }

    fn between(&self) -> Between {
        self.inner.between()
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &O::Request,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        self.inner.write_between(oracle, request, random)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        request: &O::Request,
    ) -> Result<O::Answer, Fault> {
        self.inner.call(store, &self.by, request).await
    }

    fn hold(&self, oracle: &Oracle, request: &O::Request, answer: &O::Answer) -> Held {
        self.inner.hold(oracle, request, answer)
    }

    fn reads_back(&self) -> bool {
        self.inner.reads_back()
    }

    fn acknowledged(&self, answer: &O::Answer) -> u64 {
        self.inner.acknowledged(answer)
    }

    async fn hold_left(
        &self,
        store: &Store,
        request: &O::Request,
        answer: &O::Answer,
    ) -> Result<Held, Error> {
        self.inner.hold_left(store, request, answer).await
    }

    async fn undo(&self, store: &Store, requests: Vec<O::Request>) -> Result<u64, Error> {
        self.inner.undo(store, requests).await
    }
}

fn limit(random: &mut ChaCha8Rng) -> i64 {
    *LIMITS.choose(random).unwrap_or(&20)
}

fn history(oracle: &Oracle, random: &mut ChaCha8Rng) -> message_history::Request {
    message_history::Request {
        conversation: border_conversation(),
        viewer: oracle.world().user(random.random_range(0..4)),
        limit: limit(random),
        offset: random.random_range(0..OFFSET),
        include_recalled: random.random(),
    }
}

fn page(oracle: &Oracle, random: &mut ChaCha8Rng) -> PageRequest {
    let depth = random.random_range(0..OFFSET).unsigned_abs();
    messages_page(oracle, border_conversation(), limit(random), depth)
}

fn search(_: &Oracle, random: &mut ChaCha8Rng) -> message_search::Request {
    let sorts = [Sort::Recent, Sort::Oldest, Sort::Relevance];
    message_search::Request {
        conversation: border_conversation(),
        text: (*TEXTS.choose(random).unwrap_or(&TEXTS[0])).to_owned(),
        sort: *sorts.choose(random).unwrap_or(&Sort::Recent),
        limit: limit(random),
        offset: random.random_range(0..OFFSET / 4),
    }
}

fn send(oracle: &Oracle, random: &mut ChaCha8Rng) -> message_send::Request {
    let mut request = message_send::Request {
        // Not from the seeded stream: two runs on one server must not collide.
        id: Uuid::new_v4(),
        conversation: border_conversation(),
        sender: oracle.world().user(random.random_range(0..3)),
        content: "after a month's beginning".to_owned(),
        idempotency_key: None,
    };
    sent::vary(oracle, &mut request, random);
    request
}
