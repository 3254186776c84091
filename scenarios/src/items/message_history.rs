//! Item 1 on trial: pages of history with reactions and attachments.

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_history::{self as baseline, DetailedMessage, MAX_LIMIT, Request};
use verdict_optimized::{as_proposed, message_history as optimized};
use verdict_oracle::{ConversationRows, Held, Hostile, Oracle, ladder, message_history as oracle};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::item::Item;
use crate::operation::{AnyOperation, Operation, erase, no_such_variant};

/// Rows of a page, as in the audit's load targets.
const LIMIT: i64 = 100;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct MessageHistory;

impl Item for MessageHistory {
    fn id(&self) -> &'static str {
        "message-history"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), Change::NONE),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(FirstPage), erase(LastPage), erase(OneConnection)]
    }
}

async fn history(
    store: &Store,
    variant: &VariantName,
    request: &Request,
) -> Result<Vec<DetailedMessage>, Fault> {
    let pool = &store.postgres;
    Ok(match variant {
        VariantName::Baseline => baseline::history(pool, request).await?,
        VariantName::Proposed(None) => as_proposed::message_history::history(pool, request).await?,
        VariantName::Optimized => optimized::history(pool, request).await?,
        _ => return Err(no_such_variant(variant)),
    })
}

fn rungs(world: &World) -> Vec<At> {
    ladder::conversation_sizes(world)
        .into_iter()
        .map(At::rung)
        .collect()
}

/// A page of the ladder's conversation, which begins where `offset` says.
fn page(
    oracle: &Oracle,
    at: At,
    random: &mut ChaCha8Rng,
    offset: impl Fn(&ConversationRows) -> i64,
) -> Option<Request> {
    let conversation = ladder::conversation(oracle.world(), at.n)?;
    let rows = oracle.conversation(conversation.id)?;
    Some(Request {
        conversation: conversation.id,
        viewer: *rows.members.choose(random)?,
        limit: LIMIT,
        offset: offset(&rows),
        include_recalled: false,
    })
}

/// The first page of a conversation: what a page costs when only the conversation grows.
struct FirstPage;

impl Operation for FirstPage {
    type Request = Request;
    type Answer = Vec<DetailedMessage>;
    const NAME: &'static str = "first-page";

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Request> {
        page(oracle, at, random, |_| 0)
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
        history(store, variant, request).await
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, request, answer)
    }
}

/// The last page of a conversation, the newest messages: the offset grows with it.
struct LastPage;

impl Operation for LastPage {
    type Request = Request;
    type Answer = Vec<DetailedMessage>;
    const NAME: &'static str = "last-page";

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Request> {
        page(oracle, at, random, |rows| {
            (rows.visible(false).len() as i64 - LIMIT).max(0)
        })
    }

    /// Any page that ends at the conversation's last row.
    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Request {
        let mut request = oracle::draw(oracle, random);
        if let Some(rows) = oracle.conversation(request.conversation) {
            let visible = rows.visible(request.include_recalled).len() as i64;
            request.offset = (visible - request.limit.min(MAX_LIMIT)).max(0);
        }
        request
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &Request,
    ) -> Result<Self::Answer, Fault> {
        history(store, variant, request).await
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, request, answer)
    }
}

/// The first page with all statements on one connection: what of the turns on the wire is the
/// pool's, which asks every connection twice whether it lives.
struct OneConnection;

impl Operation for OneConnection {
    type Request = Request;
    type Answer = Vec<DetailedMessage>;
    const NAME: &'static str = "one-connection";

    fn aside(&self) -> bool {
        true
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1_000)]
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Request> {
        FirstPage.at(oracle, at, random)
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
        let mut lent = store.lender.lend().await?;
        let connection = &mut **lent;
        Ok(match variant {
            VariantName::Baseline => baseline::history_on(connection, request).await?,
            VariantName::Proposed(None) => {
                as_proposed::message_history::history(connection, request).await?
            }
            VariantName::Optimized => optimized::history(connection, request).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, request, answer)
    }
}
