//! Item 1 on trial: pages of history with reactions and attachments.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand::RngExt;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_audit::evidence::Answers;
use verdict_baseline::message_history::{self as baseline, DetailedMessage, MAX_LIMIT, Request};
use verdict_optimized::migration::Migration;
use verdict_optimized::{as_proposed, message_history as optimized};
use verdict_seed::World;

use crate::contract::{Tally, Timeline, same, same_outcome};
use crate::error::Result;
use crate::hostile;
use crate::item::{Item, Operation, Probe};
use crate::ladder;
use crate::session::Session;

/// The first page of a conversation: what a page costs when only the conversation grows.
pub const FIRST_PAGE: &str = "first page";
/// The last page of a conversation, the newest messages: the offset grows with it.
pub const LAST_PAGE: &str = "last page";

/// Rows of a page, as in the audit's load targets.
pub const LIMIT: i64 = 100;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct MessageHistory;

/// A page as one variant answers it.
pub async fn history(
    variant: &VariantName,
    pool: &PgPool,
    request: &Request,
) -> verdict_baseline::Result<Vec<DetailedMessage>> {
    match variant {
        VariantName::Baseline => baseline::history(pool, request).await,
        VariantName::Proposed(_) => as_proposed::message_history::history(pool, request).await,
        VariantName::Optimized => optimized::history(pool, request).await,
    }
}

/// The messages of a conversation that a request sees, in the generator's order.
pub fn timeline(
    world: &World,
    conversation: &verdict_seed::Conversation,
    include_recalled: bool,
) -> Timeline {
    Timeline::oldest_first(
        world
            .messages(conversation)
            .into_iter()
            .filter(|message| message.deleted_at.is_none())
            .filter(|message| include_recalled || message.recalled_at.is_none())
            .map(|message| (message.created_at, message.id))
            .collect(),
    )
}

impl Item for MessageHistory {
    fn id(&self) -> &'static str {
        "message-history"
    }

    fn migration(&self, variant: &VariantName) -> Option<Migration> {
        (*variant == VariantName::Optimized).then_some(optimized::MIGRATION)
    }

    fn touches(&self) -> &'static [&'static str] {
        &["messages"]
    }

    fn operations(&self, world: &World) -> Vec<Operation> {
        let rungs = ladder::conversation_sizes(world);
        [FIRST_PAGE, LAST_PAGE]
            .map(|name| Operation {
                name,
                rungs: rungs.clone(),
            })
            .into()
    }

    fn probe(
        &self,
        world: &World,
        variant: &VariantName,
        operation: &str,
        n: u64,
    ) -> Option<Probe> {
        let conversation = ladder::conversation(world, n)?;
        let offset = match operation {
            LAST_PAGE => {
                let visible = timeline(world, &conversation, false).len() as i64;
                (visible - LIMIT).max(0)
            }
            _ => 0,
        };
        let members = conversation.members.clone();
        let variant = Arc::new(variant.clone());
        Some(Probe::reading(move |pool, k| {
            let variant = Arc::clone(&variant);
            let request = Request {
                conversation: conversation.id,
                viewer: members[k as usize % members.len()],
                limit: LIMIT,
                offset,
                include_recalled: false,
            };
            async move { history(&variant, &pool, &request).await.map(drop) }
        }))
    }

    fn answers<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Result<Answers>> {
        Box::pin(async move {
            let mut tally = Tally::default();
            for (request, timeline) in requests(session) {
                let outcome = compare(session, variant, &request, &timeline).await;
                tally.record(&request, outcome);
            }
            Ok(tally.into_answers())
        })
    }
}

/// Requests by popularity, then the hostile ones, each with what the generator has.
fn requests(session: &Session<'_>) -> Vec<(Request, Arc<Timeline>)> {
    let world = session.world();
    let mut rng = session.rng("message-history requests");
    let mut requests = Vec::new();

    let mut conversations: Vec<_> = (0..session.sample_size())
        .map(|_| world.sample_conversation(&mut rng))
        .collect();
    conversations.extend(ladder::conversations_up_to(world, 10_000));
    for conversation in conversations {
        let include_recalled = rng.random();
        let timeline = Arc::new(timeline(world, &conversation, include_recalled));
        let viewer = conversation.members[rng.random_range(0..conversation.members.len())];
        for limit in [20, 50, LIMIT, MAX_LIMIT + 50] {
            let offset = rng.random_range(0..=timeline.len() as i64);
            let request = Request {
                conversation: conversation.id,
                viewer,
                limit,
                offset,
                include_recalled,
            };
            requests.push((request, Arc::clone(&timeline)));
        }
    }

    let unknown = Arc::new(Timeline::default());
    requests.push((
        Request {
            conversation: Uuid::from_u128(rng.random()),
            viewer: world.user(0),
            limit: LIMIT,
            offset: 0,
            include_recalled: true,
        },
        unknown,
    ));
    for include_recalled in [false, true] {
        let tied = Arc::new(hostile::tied_messages(world, include_recalled));
        for (limit, offset) in [
            (0, 0),
            (MAX_LIMIT, 0),
            (7, 0),
            (7, 7),
            (7, tied.len() as i64 - 3),
            (7, tied.len() as i64),
            (7, 1_000_000),
        ] {
            let request = Request {
                conversation: hostile::tied_conversation(),
                viewer: world.user(0),
                limit,
                offset,
                include_recalled,
            };
            requests.push((request, Arc::clone(&tied)));
        }
    }
    requests
}

async fn compare(
    session: &Session<'_>,
    variant: &VariantName,
    request: &Request,
    timeline: &Timeline,
) -> std::result::Result<(), String> {
    let today = history(&VariantName::Baseline, session.baseline(), request).await;
    if *variant == VariantName::Baseline {
        let page = today.map_err(|error| error.to_string())?;
        return check(request, timeline, &page);
    }
    let answer = history(variant, session.trial(), request).await;
    let Some((today, answer)) = same_outcome(today, answer)? else {
        return Ok(());
    };
    check(request, timeline, &answer)?;
    for message in &answer {
        // A page cut inside a group of ties may hold any of them, so a message may be missing on
        // the other side; the oracle has vouched for it already.
        if let Some(same_message) = today
            .iter()
            .find(|other| other.message.id == message.message.id)
        {
            same("message", &canonical(same_message), &canonical(message))?;
        }
    }
    Ok(())
}

/// Holds a page to the generator's order and numbering.
fn check(
    request: &Request,
    timeline: &Timeline,
    page: &[DetailedMessage],
) -> std::result::Result<(), String> {
    timeline.check(
        request.offset as usize,
        request.limit.min(MAX_LIMIT) as usize,
        page.iter()
            .map(|message| (message.message.created_at, message.message.id)),
    )?;
    for (place, message) in page.iter().enumerate() {
        let due = request.offset + place as i64 + 1;
        same("number", &due, &message.message.sequence_number)?;
    }
    Ok(())
}

/// A message without what has no order today: reactions and attachments sorted, and the number,
/// which [`check`] has held to its place, left out.
fn canonical(message: &DetailedMessage) -> DetailedMessage {
    let mut message = message.clone();
    message.message.sequence_number = 0;
    message.reactions.sort();
    message.attachments.sort();
    message
}
