//! Item 1 on trial: pages of history with reactions and attachments.

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_history::{self as baseline, DetailedMessage, MAX_LIMIT, Request};
use verdict_optimized::{as_proposed, message_history as optimized};
use verdict_oracle::{Held, Hostile, Oracle, Write, ladder, message_history as oracle};
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
        vec![
            erase(Page::First),
            erase(Page::Last),
            erase(Page::OnOneConnection),
        ]
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

/// Pages of a conversation, oldest messages first.
#[derive(Debug, Clone, Copy)]
pub enum Page {
    /// What a page costs when only the conversation grows.
    First,
    /// The newest messages: the offset grows with the conversation.
    Last,
    /// The first page with all statements on one connection: what of the turns on the wire is
    /// the pool's, which asks every connection twice whether it lives.
    OnOneConnection,
}

impl Operation for Page {
    type Request = Request;
    type Answer = Vec<DetailedMessage>;

    fn name(&self) -> &'static str {
        match self {
            Self::First => "first-page",
            Self::Last => "last-page",
            Self::OnOneConnection => "one-connection",
        }
    }

    fn aside(&self) -> bool {
        matches!(self, Self::OnOneConnection)
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        match self {
            Self::First | Self::Last => ladder::conversation_sizes(world)
                .into_iter()
                .map(At::rung)
                .collect(),
            Self::OnOneConnection => vec![At::rung(1_000)],
        }
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Request> {
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        let rows = oracle.conversation(conversation.id)?;
        Some(Request {
            conversation: conversation.id,
            viewer: *rows.members.choose(random)?,
            limit: LIMIT,
            offset: match self {
                Self::First | Self::OnOneConnection => 0,
                Self::Last => (rows.visible(false).len() as i64 - LIMIT).max(0),
            },
            include_recalled: false,
        })
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Request {
        let mut request = oracle::draw(oracle, random);
        if matches!(self, Self::Last)
            && let Some(rows) = oracle.conversation(request.conversation)
        {
            // Any page that ends at the conversation's last row.
            let visible = rows.visible(request.include_recalled).len() as i64;
            request.offset = (visible - request.limit.min(MAX_LIMIT)).max(0);
        }
        request
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &Request,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::write_between(oracle, request, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &Request,
    ) -> Result<Self::Answer, Fault> {
        match self {
            Self::First | Self::Last => history(store, variant, request).await,
            Self::OnOneConnection => on_one_connection(store, variant, request).await,
        }
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, request, answer)
    }
}

async fn on_one_connection(
    store: &Store,
    variant: &VariantName,
    request: &Request,
) -> Result<Vec<DetailedMessage>, Fault> {
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
