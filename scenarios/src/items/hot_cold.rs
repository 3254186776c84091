//! Item 14 on trial: a conversation's newest messages, whatever their age and of the last week; and
//! all that today does around the border of two months, and to messages that are old.
//!
//! The rung is the number of messages of the conversation.

mod border;
mod cold;
mod retention;
mod scene;
mod worth;
mod writes;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{At, Unit, VariantName};
use verdict_baseline::hot_cold::{self as baseline, Request};
use verdict_baseline::indexes::Said;
use verdict_optimized::hot_cold as optimized;
use verdict_oracle::{Held, Hostile, Oracle, Write, hot_cold as oracle, ladder};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store, Table};

use self::scene::Scene;
use super::{message_history, sends};
use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Operation, erase};
use crate::session::{Role, Session};
use crate::tally::Tally;

/// What is unique over all months.
const KEYS: Table = Table::postgres("message_keys");

/// Rows of a page.
const LIMIT: i64 = 20;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct HotCold;

impl Item for HotCold {
    fn id(&self) -> &'static str {
        "hot-cold"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation, Hostile::BorderConversation]
    }

    fn keep(&self) -> Option<&'static str> {
        Some(
            "an index finds recent messages among old ones as well as where there are no others, \
             and with a table for each month every send writes a row more and every look-up by id \
             goes through all of them",
        )
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        Recent::ALL.map(erase).into()
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            border::run(session, variant, tally).await?;
            let scene = Scene::open(session, variant).await?;
            let written = writes::run(&scene, tally).await;
            scene.close(variant, tally).await?;
            written?;
            retention::run(session, variant, tally).await?;
            cold::tell(session, variant, tally).await
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(async move {
            let rungs = session.world().ladder_conversations();
            let Some(smallest) = rungs.first() else {
                return Ok(Vec::new());
            };
            let keys = session.size(Role::Trial, KEYS).await?;
            let size = Price {
                what: PriceOf::TableSize {
                    table: KEYS.name.to_owned(),
                },
                baseline: 0.0,
                variant: keys as f64,
                unit: Unit::Bytes,
            };
            let mut prices = vec![size, sends::sending(session, variant, smallest).await?];
            prices.extend(message_history::price::of(self.id(), session).await?);
            prices.extend(cold::prices(session).await?);
            prices.extend(retention::prices(session).await?);
            prices.extend(sends::held(self, session, variant, smallest).await?);
            Ok(prices)
        })
    }
}

/// A conversation's newest messages: the statement is today's, whatever the variant.
#[derive(Debug, Clone, Copy)]
pub enum Recent {
    /// Whatever their age.
    Messages,
    /// Of its last days.
    Week,
}

impl Recent {
    const ALL: [Self; 2] = [Self::Messages, Self::Week];
}

impl Operation for Recent {
    type Request = Request;
    type Answer = Vec<Said>;

    fn name(&self) -> &'static str {
        match self {
            Self::Messages => "recent-messages",
            Self::Week => "recent-week",
        }
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        let sizes = ladder::conversation_sizes(world).into_iter();
        sizes.map(At::rung).collect()
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<Request> {
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        Some(Request {
            conversation: conversation.id,
            since: match self {
                Self::Messages => None,
                Self::Week => Some(oracle::last_week(oracle, conversation.id)),
            },
            limit: LIMIT,
        })
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Request {
        oracle::draw(oracle, matches!(self, Self::Week), random)
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
        _: &VariantName,
        request: &Request,
    ) -> Result<Vec<Said>, Fault> {
        Ok(baseline::recent(&store.postgres, request).await?)
    }

    fn hold(&self, oracle: &Oracle, request: &Request, answer: &Vec<Said>) -> Held {
        oracle::hold(oracle, request, answer)
    }
}
