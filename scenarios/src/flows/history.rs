//! The first hundred messages of a conversation, with reactions and attachments.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::DetailedMessage;
use verdict_seed::{Conversation, World};

use super::{Call, Flow, Http, Lacking, parse};
use crate::contract::{Timeline, same};
use crate::message_history::{self, LIMIT};

/// Conversations drawn by popularity; one that is drawn twice is asked for twice as often.
const DRAWS: usize = 256;

/// Draws in search of them.
const TRIES: usize = 5_000;

/// The flow.
#[derive(Debug)]
pub(super) struct History {
    about: String,
    conversations: Vec<Arc<Drawn>>,
}

#[derive(Debug)]
struct Drawn {
    conversation: Conversation,
    /// Its messages that are seen, as the generator has them.
    page: Timeline,
}

impl History {
    pub(super) fn new(world: &World, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        let mut known: HashMap<Uuid, Option<Arc<Drawn>>> = HashMap::new();
        let mut conversations = Vec::new();
        for _ in 0..TRIES {
            let drawn = world.sample_conversation(random);
            if drawn.messages < LIMIT as u64 {
                continue;
            }
            let entry = known.entry(drawn.id).or_insert_with(|| {
                let page = message_history::timeline(world, &drawn, false);
                (page.len() >= LIMIT as usize).then(|| {
                    Arc::new(Drawn {
                        conversation: drawn,
                        page,
                    })
                })
            });
            conversations.extend(entry.clone());
            if conversations.len() == DRAWS {
                break;
            }
        }
        if conversations.is_empty() {
            return Err(Lacking {
                flow: FlowId::History,
                what: "a conversation of 100 messages",
            });
        }
        Ok(Self {
            about: format!(
                "the first {LIMIT} messages of {} conversations drawn by popularity",
                known.values().flatten().count()
            ),
            conversations,
        })
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> (&Drawn, Uuid) {
        let drawn = &self.conversations[random.random_range(0..self.conversations.len())];
        let members = &drawn.conversation.members;
        (drawn, members[random.random_range(0..members.len())])
    }
}

fn read(side: Side, conversation: Uuid, viewer: Uuid) -> Call {
    let path =
        format!("/conversations/{conversation}/messages?viewer={viewer}&limit={LIMIT}&offset=0");
    Call::get(
        side,
        &path,
        Box::new(|body| {
            let shape: Shape = parse(body)?;
            same("rows", &(LIMIT as usize), &shape.messages.len())
        }),
    )
}

impl Flow for History {
    fn id(&self) -> FlowId {
        FlowId::History
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let (drawn, viewer) = self.draw(random);
        read(side, drawn.conversation.id, viewer)
    }

    fn compare<'a>(
        &'a self,
        http: &'a Http,
        random: &'a mut ChaCha8Rng,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let (drawn, viewer) = self.draw(random);
            let conversation = drawn.conversation.id;
            let mut sides = Vec::new();
            for side in [Side::Baseline, Side::Optimized] {
                let page: Page = parse(&http.ask(&read(side, conversation, viewer)).await?)?;
                let rows = page
                    .messages
                    .iter()
                    .map(|row| (row.message.created_at, row.message.id));
                drawn
                    .page
                    .check(0, LIMIT as usize, rows)
                    .map_err(|wrong| format!("history of {conversation} on {side}: {wrong}"))?;
                sides.push(page.messages);
            }
            alike(&sides[0], &sides[1]).map_err(|difference| {
                format!("history of {conversation} for {viewer}: {difference}")
            })
        })
    }
}

/// The same numbers in the same order, and the same message wherever both have it: two messages
/// of one instant may change places, and at the page's end only one of them may be there.
fn alike(today: &[DetailedMessage], optimized: &[DetailedMessage]) -> Result<(), String> {
    let numbers = |page: &[DetailedMessage]| -> Vec<i64> {
        page.iter().map(|row| row.message.sequence_number).collect()
    };
    same("numbers", &numbers(today), &numbers(optimized))?;
    for row in today {
        if let Some(other) = optimized
            .iter()
            .find(|other| other.message.id == row.message.id)
        {
            same("message", &settled(row), &settled(other))?;
        }
    }
    Ok(())
}

/// Without what has no order today: the order of reactions and attachments, and the number,
/// which two messages of one instant may exchange.
fn settled(row: &DetailedMessage) -> DetailedMessage {
    let mut row = row.clone();
    row.message.sequence_number = 0;
    row.reactions.sort();
    row.attachments.sort();
    row
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<DetailedMessage>,
}

/// The fields of an answer without what they hold: reading it all would cost the machine more
/// than the answer did.
#[derive(Deserialize)]
struct Shape {
    messages: Vec<RowShape>,
}

#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "a field that is missing makes the shape a wrong one"
)]
struct RowShape {
    id: Uuid,
    sender_id: IgnoredAny,
    sequence_number: i64,
    created_at: IgnoredAny,
    recalled_at: IgnoredAny,
    updated_at: IgnoredAny,
    version_number: IgnoredAny,
    content: IgnoredAny,
    content_encrypted: IgnoredAny,
    content_nonce: IgnoredAny,
    message_type: IgnoredAny,
    reactions: Vec<IgnoredAny>,
    attachments: Vec<IgnoredAny>,
}
