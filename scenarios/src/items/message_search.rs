//! Item 8 on trial: searches of conversations, for a rare and a common word.

mod histories;
mod price;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_search::{self as baseline, DEFAULT_LIMIT, Request, Sort};
use verdict_baseline::{Error as OperationError, Refused};
use verdict_optimized::as_proposed::message_search as proposed;
use verdict_optimized::message_search as optimized;
use verdict_oracle::message_search::{self as oracle, Answer};
use verdict_oracle::{Held, Hostile, Oracle, Write, ladder};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Operation, erase, no_such_variant};
use crate::session::Session;
use crate::tally::Tally;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct MessageSearch;

impl Item for MessageSearch {
    fn id(&self) -> &'static str {
        "message-search"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[
            Hostile::SearchedConversation,
            Hostile::EncryptedConversation,
        ]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), proposed::CHANGE),
            (VariantName::Mended(None), proposed::MENDED),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![
            erase(Search::Rare),
            erase(Search::Common),
            erase(Search::ByRelevance),
        ]
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(self, session, variant))
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(histories::of(session, variant, tally))
    }
}

/// A search in a conversation.
#[derive(Debug, Clone, Copy)]
pub enum Search {
    /// For a word that one message in a thousand holds, newest first.
    Rare,
    /// For a word that one message in ten holds, newest first.
    Common,
    /// The same by relevance, for which the vector of every match is needed.
    ByRelevance,
}

impl Operation for Search {
    type Request = Request;
    type Answer = Answer;

    fn name(&self) -> &'static str {
        match self {
            Self::Rare => "rare-term",
            Self::Common => "common-term",
            Self::ByRelevance => "common-by-relevance",
        }
    }

    fn aside(&self) -> bool {
        matches!(self, Self::ByRelevance)
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        let sizes = ladder::conversation_sizes(world).into_iter();
        sizes.map(At::rung).collect()
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<Request> {
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        Some(self.request(conversation.id))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Request {
        oracle::draw(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
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
    ) -> Result<Answer, Fault> {
        search(store, variant, request).await
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Answer) -> Held {
        oracle::hold(oracle, request, answer)
    }
}

impl Search {
    /// The search as it is measured.
    fn request(self, conversation: Uuid) -> Request {
        Request {
            conversation,
            text: match self {
                Self::Rare => oracle::RARE,
                Self::Common | Self::ByRelevance => oracle::COMMON,
            }
            .to_owned(),
            sort: match self {
                Self::Rare | Self::Common => Sort::Recent,
                Self::ByRelevance => Sort::Relevance,
            },
            limit: DEFAULT_LIMIT,
            offset: 0,
        }
    }
}

async fn search(store: &Store, variant: &VariantName, request: &Request) -> Result<Answer, Fault> {
    let pool = &store.postgres;
    let answer = match variant {
        VariantName::Baseline => baseline::search(pool, request).await,
        VariantName::Proposed(None) | VariantName::Mended(None) => {
            proposed::search(pool, request).await
        }
        VariantName::Optimized => optimized::search(pool, request).await,
        _ => return Err(no_such_variant(variant)),
    };
    match answer {
        Ok(found) => Ok(Ok(found)),
        Err(OperationError::Refused(refused)) => Ok(Err::<_, Refused>(refused)),
        Err(fault) => Err(fault.into()),
    }
}
