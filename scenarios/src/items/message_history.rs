//! Item 1 on trial: pages of history with reactions and attachments.

use futures_util::future::BoxFuture;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_history::{self as baseline, DetailedMessage, MAX_LIMIT, Request};
use verdict_optimized::{as_proposed, message_history as optimized};
use verdict_oracle::{
    Difference, Held, Hostile, Oracle, Write, hostile, ladder, message_history as oracle, same,
};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{
    AnyOperation, Between, Operation, ROUND_TRIPS, erase, no_such_variant, over_lines,
};
use crate::session::Session;
use crate::tally::Tally;

mod churn;
pub(super) mod price;
mod races;
mod scene;

/// Rows of a page, as in the audit's load targets.
const LIMIT: i64 = 100;

/// Where the audit's promises are judged, and where the line is varied.
const JUDGED: u64 = 1_000;

/// Rows of a page of a walk: so few that most pages begin and end between rows of one instant.
const WALKED_LIMIT: i64 = 7;

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
            erase(HistoryPage::First),
            erase(HistoryPage::Last),
            erase(HistoryPage::OnOneConnection),
        ]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            walk(session, variant, true, tally).await?;
            walk(session, variant, false, tally).await?;
            // Nobody else keeps anything that writers could spoil.
            if *variant == VariantName::Optimized {
                races::run(session, variant, tally).await?;
                churn::run(session, variant, tally).await?;
            }
            Ok(())
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        _variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(self.id(), session))
    }
}

/// Walks through the conversation whose messages are all of one instant, page after page: each
/// page is right, and the fix's walk meets every row once. Today's order leaves ties open, so its
/// pages, and those that the audit cuts in the same order, may hold a row twice between them.
async fn walk(
    session: &Session<'_>,
    variant: &VariantName,
    include_recalled: bool,
    tally: &mut Tally,
) -> Outcome<()> {
    let store = session.store(variant);
    let mut request = Request {
        conversation: hostile::tied_conversation(),
        viewer: session.world().user(0),
        limit: WALKED_LIMIT,
        offset: 0,
        include_recalled,
    };
    let mut met = Vec::new();
    loop {
        let page = match history(&store, variant, &request).await {
            Ok(page) => page,
            Err(Fault::Harness(error)) => return Err(error.into()),
            Err(Fault::Variant(refusal)) => {
                let refused = Err(Difference(refusal.to_string()));
                tally.record(format_args!("a walk's {request:?}"), refused);
                return Ok(());
            }
        };
        let held = oracle::hold(session.oracle(), &request, &page);
        let ended = page.is_empty() || held.is_err();
        tally.record(format_args!("a walk's {request:?}"), held);
        if ended {
            break;
        }
        request.offset += page.len() as i64;
        met.extend(page.into_iter().map(|row| row.message.id));
    }
    let rows = met.len();
    met.sort_unstable();
    met.dedup();
    if *variant == VariantName::Optimized {
        tally.record(
            format_args!("a walk through all pages of {}", request.conversation),
            same("rows met, each once", &rows, &met.len()),
        );
    } else if met.len() < rows {
        tally.declare(
            "rows of one instant may stand on two pages: today's order leaves ties open, so this \
             is today's own fault and no variant is held to it"
                .to_owned(),
        );
    }
    Ok(())
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
pub enum HistoryPage {
    /// What a page costs when only the conversation grows.
    First,
    /// The newest messages: the offset grows with the conversation.
    Last,
    /// The first page with all statements on one connection: what of the turns on the wire is
    /// the pool's, which asks every connection twice whether it lives.
    OnOneConnection,
}

impl Operation for HistoryPage {
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
            Self::First | Self::Last => {
                let sizes = ladder::conversation_sizes(world).into_iter();
                over_lines(
                    sizes.map(At::rung).collect(),
                    |at| at.n == JUDGED,
                    ROUND_TRIPS,
                )
            }
            Self::OnOneConnection => vec![At::rung(JUDGED)],
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
