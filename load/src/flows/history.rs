//! The first hundred messages of a conversation, with reactions and attachments; and, while
//! nothing is measured, any page.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::{MAX_LIMIT, Request};
use verdict_oracle::{ConversationRows, Oracle, Timeline, Write, message_history as oracle, same};
use verdict_seed::Conversation;
use verdict_service::HistoryAnswer;

use super::call::{Call, parse};
use super::{Flow, Lacking};
use crate::moments::Truth;

/// Messages of a page, as in the audit's target.
const ROWS: i64 = 100;

/// Conversations drawn by popularity; one that is drawn twice is asked for twice as often.
const DRAWS: usize = 256;

/// Draws in search of them.
const TRIES: usize = 5_000;

/// Requests over every parameter.
const VARIED: usize = 64;

/// Messages of a conversation that is written to: what is right has to be made of all of its
/// rows each time.
const CHANGED: u64 = 3_000;

/// The flow.
#[derive(Debug)]
pub(super) struct History {
    about: String,
    conversations: Vec<Arc<Read>>,
    varied: Vec<Varied>,
    /// Requests to conversations that are small enough to be written to.
    changed: Vec<Request>,
    truth: Truth,
}

/// A conversation that is read.
#[derive(Debug)]
struct Read {
    conversation: Conversation,
    /// The order of its first page.
    head: Arc<Timeline>,
}

/// A request over every parameter.
#[derive(Debug)]
struct Varied {
    request: Request,
    /// What its conversation shows; none when nobody has it.
    shown: Option<Arc<Timeline>>,
    /// Whether its viewer may see that.
    is_member: bool,
}

impl History {
    pub(super) fn new(truth: &Truth, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        Self::without(truth, &HashSet::new(), random)
    }

    /// Of all conversations but these.
    pub(super) fn without(
        truth: &Truth,
        others: &HashSet<Uuid>,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, Lacking> {
        let oracle = &truth.world.oracle;
        // None where too few of a conversation's messages are seen.
        let mut known: HashMap<Uuid, Option<Arc<Read>>> = HashMap::new();
        let mut conversations = Vec::new();
        for _ in 0..TRIES {
            let drawn = oracle.world().sample_conversation(random);
            if drawn.messages < ROWS as u64 || others.contains(&drawn.id) {
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
        let varied = (0..VARIED).map(|_| Varied::draw(oracle, random));
        let varied: Vec<Varied> = varied
            .filter(|varied| !others.contains(&varied.request.conversation))
            .collect();
        Ok(Self {
            about: format!(
                "the first {ROWS} messages of {} conversations drawn by popularity",
                known.values().flatten().count()
            ),
            changed: changed(oracle, &conversations, &varied, random),
            conversations,
            varied,
            truth: truth.clone(),
        })
    }
}

impl History {
    /// Whether somebody asks for a conversation who is none of its members.
    pub(super) fn refuses(&self, conversation: Uuid, user: Uuid) -> bool {
        self.varied.iter().any(|varied| {
            let asked = (varied.request.conversation, varied.request.viewer);
            !varied.is_member && asked == (conversation, user)
        })
    }
}

/// Requests that a write can change the answers to: those of conversations that are small
/// enough, or of the smallest.
fn changed(
    oracle: &Oracle,
    conversations: &[Arc<Read>],
    varied: &[Varied],
    random: &mut ChaCha8Rng,
) -> Vec<Request> {
    let mut asked: Vec<(u64, Request)> = Vec::new();
    for read in conversations {
        asked.push((read.conversation.messages, read.request(random)));
    }
    for varied in varied.iter().filter(|varied| varied.is_member) {
        let rows = oracle.conversation(varied.request.conversation);
        let messages = rows.map_or(0, |rows| rows.messages);
        asked.push((messages, varied.request.clone()));
    }
    let smallest = asked.iter().map(|(messages, _)| *messages).min();
    let most = CHANGED.max(smallest.unwrap_or_default());
    asked
        .into_iter()
        .filter_map(|(messages, request)| (messages <= most).then_some(request))
        .collect()
}

impl Read {
    fn request(&self, random: &mut ChaCha8Rng) -> Request {
        let members = &self.conversation.members;
        Request {
            conversation: self.conversation.id,
            viewer: members[random.random_range(0..members.len())],
            limit: ROWS,
            offset: 0,
            include_recalled: false,
        }
    }
}

impl Varied {
    fn draw(oracle: &Oracle, random: &mut ChaCha8Rng) -> Self {
        let request = oracle::draw(oracle, random);
        let rows = oracle.conversation(request.conversation);
        let visible = |rows: &ConversationRows| rows.visible(request.include_recalled).clone();
        Self {
            shown: rows.as_ref().map(|rows| Arc::new(visible(rows))),
            is_member: rows.is_some_and(|rows| rows.members.contains(&request.viewer)),
            request,
        }
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
        page(side, &self.truth, &read.head, read.request(random))
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let varied = &self.varied[random.random_range(0..self.varied.len())];
        let request = varied.request.clone();
        let limit = request.limit;
        let shown = varied.shown.clone().unwrap_or_default();
        let call = page(side, &self.truth, &shown, request).unjudged();
        // The service takes no page of no rows.
        match &varied.shown {
            _ if limit == 0 => call.refused(400),
            None => call.refused(404),
            Some(_) if !varied.is_member => call.refused(403),
            Some(_) => call,
        }
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let request = self.changed.choose(random)?;
        oracle::write_between(oracle, request, random)
    }
}

/// Reads a page of a history that shows these messages as long as nobody writes.
fn page(side: Side, truth: &Truth, shown: &Arc<Timeline>, request: Request) -> Call {
    let path = path(&request);
    let id = request.conversation;
    let (offset, rows) = (request.offset, request.limit.min(MAX_LIMIT));
    let include_recalled = request.include_recalled;
    let shown = Arc::clone(shown);
    Call::get(
        side,
        truth.of(side),
        &path,
        Box::new(move |right, body| {
            let shape: Shape = parse(body)?;
            let hold = |shown: &Timeline| {
                let ids = shape.messages.iter().map(|message| message.id);
                shown.hold_ids(offset as usize, rows as usize, ids)
            };
            let changed = right.changes(id).then(|| right.oracle.conversation(id));
            match changed.flatten() {
                Some(now) => hold(now.visible(include_recalled))?,
                None => hold(&shown)?,
            }
            for (place, message) in (offset + 1..).zip(&shape.messages) {
                same("number", &place, &message.sequence_number)?;
            }
            Ok(())
        }),
        Box::new(move |right, body| {
            let answer: HistoryAnswer = parse(body)?;
            oracle::hold(&right.oracle, &request, &answer.messages)
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
