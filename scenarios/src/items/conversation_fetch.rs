//! Item 9 on trial: a conversation, and the list of a hundred.
//!
//! The rung is the number of messages in the conversation that is fetched, or in one of those that
//! are listed, to the member of it with the longest list.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::conversation_fetch::{self as baseline, Details, Listed};
use verdict_optimized::{as_proposed, conversation_fetch as optimized};
use verdict_oracle::{Held, Hostile, Oracle, Write, conversation_fetch as oracle, ladder};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{
    AnyOperation, Between, Operation, ROUND_TRIPS, erase, no_such_variant, over_lines,
};
use crate::session::Session;
use crate::tally::Tally;

mod bulk;
mod churn;
mod live;
mod price;
mod races;
mod scene;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct ConversationFetch;

impl Item for ConversationFetch {
    fn id(&self) -> &'static str {
        "conversation-fetch"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (
                VariantName::Proposed(None),
                as_proposed::conversation_fetch::CHANGE,
            ),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Fetch), erase(List)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            races::run(session, variant, tally).await?;
            churn::run(session, variant, tally).await?;
            bulk::run(session, variant, tally).await?;
            // Last: it makes the change anew.
            let mut changes = self.variants().into_iter();
            match changes.find(|(name, _)| name == variant) {
                Some((_, change)) => live::run(session, variant, &change, tally).await,
                None => Ok(()),
            }
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(session, variant))
    }
}

/// Where the audit's promises are judged, and where the line is varied.
const JUDGED: u64 = 1_000;

fn sizes(world: &World) -> Vec<At> {
    let sizes = ladder::conversation_sizes(world).into_iter();
    over_lines(
        sizes.map(At::rung).collect(),
        |at| at.n == JUDGED,
        ROUND_TRIPS,
    )
}

/// One conversation.
#[derive(Debug, Clone, Copy)]
pub struct Fetch;

impl Operation for Fetch {
    type Request = Uuid;
    type Answer = Details;

    fn name(&self) -> &'static str {
        "fetch"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        sizes(world)
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<Uuid> {
        Some(ladder::conversation(oracle.world(), at.n)?.id)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Uuid {
        oracle::draw(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(&self, oracle: &Oracle, id: &Uuid, random: &mut ChaCha8Rng) -> Option<Write> {
        oracle::write_between(oracle, *id, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        id: &Uuid,
    ) -> Result<Details, Fault> {
        let pool = &store.postgres;
        Ok(match variant {
            VariantName::Baseline => baseline::fetch(pool, *id).await?,
            VariantName::Proposed(None) => {
                as_proposed::conversation_fetch::fetch(pool, *id).await?
            }
            VariantName::Optimized => optimized::fetch(pool, *id).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, id: &Uuid, answer: &Details) -> Held {
        oracle::hold(oracle, *id, answer)
    }
}

/// A user's conversations.
#[derive(Debug, Clone, Copy)]
pub struct List;

impl Operation for List {
    type Request = Uuid;
    type Answer = Vec<Listed>;

    fn name(&self) -> &'static str {
        "list"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        sizes(world)
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<Uuid> {
        oracle::busiest(oracle, &ladder::conversation(oracle.world(), at.n)?)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Uuid {
        oracle::draw_user(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        user: &Uuid,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::write_in_list(oracle, *user, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        user: &Uuid,
    ) -> Result<Vec<Listed>, Fault> {
        let pool = &store.postgres;
        Ok(match variant {
            VariantName::Baseline => baseline::list(pool, *user).await?,
            VariantName::Proposed(None) => {
                as_proposed::conversation_fetch::list(pool, *user).await?
            }
            VariantName::Optimized => optimized::list(pool, *user).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, user: &Uuid, answer: &Vec<Listed>) -> Held {
        oracle::hold_list(oracle, *user, answer)
    }
}
