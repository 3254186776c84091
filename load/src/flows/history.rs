//! The first hundred messages of a conversation, with reactions and attachments.

use std::collections::HashMap;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::Request;
use verdict_oracle::{Oracle, Timeline, message_history as oracle, same};
use verdict_seed::Conversation;
use verdict_service::HistoryAnswer;

use super::{Call, Flow, Lacking, parse};

/// Messages of a page, as in the audit's target.
const ROWS: i64 = 100;

/// Conversations drawn by popularity; one that is drawn twice is asked for twice as often.
const DRAWS: usize = 256;

/// Draws in search of them.
const TRIES: usize = 5_000;

/// The flow.
#[derive(Debug)]
pub(super) struct History {
    about: String,
    conversations: Vec<Arc<Read>>,
    oracle: Arc<Oracle>,
}

/// A conversation that is read.
#[derive(Debug)]
struct Read {
    conversation: Conversation,
    /// The order of its first page.
    head: Arc<Timeline>,
}

impl History {
    pub(super) fn new(oracle: &Arc<Oracle>, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        // None where too few of a conversation's messages are seen.
        let mut known: HashMap<Uuid, Option<Arc<Read>>> = HashMap::new();
        let mut conversations = Vec::new();
        for _ in 0..TRIES {
            let drawn = oracle.world().sample_conversation(random);
            if drawn.messages < ROWS as u64 {
                continue;
            }
            let entry = known.entry(drawn.id).or_insert_with(|| {
                let rows = oracle.conversation(drawn.id)?;
                let head = rows.visible(false).head(ROWS as usize);
                (head.len() >= ROWS as usize).then(|| {
                    Arc::new(Read {
                        conversation: drawn,
                        head: Arc::new(head),
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
                "the first {ROWS} messages of {} conversations drawn by popularity",
                known.values().flatten().count()
            ),
            conversations,
            oracle: Arc::clone(oracle),
        })
    }
}

impl Flow for History {
    fn id(&self) -> FlowId {
        FlowId::History
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let read = &self.conversations[random.random_range(0..self.conversations.len())];
        let drawn = &read.conversation;
        let request = Request {
            conversation: drawn.id,
            viewer: drawn.members[random.random_range(0..drawn.members.len())],
            limit: ROWS,
            offset: 0,
            include_recalled: false,
        };
        page(side, &self.oracle, &read.head, request)
    }
}

/// Reads the first page of a history.
fn page(side: Side, oracle: &Arc<Oracle>, head: &Arc<Timeline>, request: Request) -> Call {
    let path = path(&request);
    let rows = request.limit as usize;
    let (oracle, head) = (Arc::clone(oracle), Arc::clone(head));
    Call::get(
        side,
        &path,
        Box::new(move |body| {
            let shape: Shape = parse(body)?;
            head.hold_ids(0, rows, shape.messages.iter().map(|message| message.id))?;
            for (place, message) in (1..).zip(&shape.messages) {
                same("number", &place, &message.sequence_number)?;
            }
            Ok(())
        }),
        Box::new(move |body| {
            let answer: HistoryAnswer = parse(body)?;
            oracle::hold(&oracle, &request, &answer.messages)
        }),
    )
}

/// Path and query of a page of history, below the side's.
pub(super) fn path(request: &Request) -> String {
    let Request {
        conversation,
        viewer,
        limit,
        offset,
        include_recalled: recalled,
    } = request;
    format!(
        "/conversations/{conversation}/messages?viewer={viewer}&limit={limit}&offset={offset}\
         &include_recalled={recalled}"
    )
}

/// The fields of an answer without what they hold.
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
