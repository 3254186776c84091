//! Sending into conversations of about 1 000 messages.

use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::{self as contract, DetailedMessage, MAX_LIMIT, Message};
use verdict_baseline::message_send::{Request, Sent};
use verdict_oracle::write::{Kind, Page, Shown};
use verdict_oracle::{Oracle, Write, ladder, message_send as oracle, same};
use verdict_seed::{Conversation, PrivacyMode};
use verdict_service::HistoryAnswer;

use super::book::Book;
use super::call::{Call, parse};
use super::keeper::{Keeper, Sending};
use super::{Flow, Lacking, history};
use crate::moments::Truth;

/// Messages in a conversation, as in the audit's target.
const SIZE: u64 = 1_000;

/// How far a conversation's size may be from it, as a factor.
const NEAR: f64 = 1.5;

/// Conversations at most: enough that 64 senders seldom meet in one row.
const MOST: usize = 32;

/// Draws by popularity in search of them.
const DRAWS: usize = 5_000;

/// Bytes of a text that the service takes, with room for the rest of its JSON.
const LONGEST: usize = 60_000;

/// The flow.
#[derive(Debug)]
pub(super) struct Send {
    about: String,
    conversations: Vec<Arc<Conversation>>,
    /// What the world's own messages say.
    texts: Vec<String>,
    truth: Truth,
    book: Book,
}

impl Send {
    pub(super) fn new(truth: &Truth, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        Self::into(truth, MOST, random)
    }

    /// Into so many conversations at most.
    pub(super) fn into(
        truth: &Truth,
        most: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, Lacking> {
        let world = truth.world.oracle.world();
        let rung = ladder::conversation(world, SIZE).ok_or(Lacking {
            flow: FlowId::Send,
            what: "a conversation of 1 000 messages",
        })?;
        let texts = world
            .messages(&rung)
            .into_iter()
            .filter_map(|message| message.content)
            .collect();
        let mut conversations = vec![rung];
        for _ in 0..DRAWS {
            let drawn = world.sample_conversation(random);
            let size = drawn.messages as f64 / SIZE as f64;
            let near = (1.0 / NEAR..=NEAR).contains(&size);
            // A strictly encrypted conversation takes no plain text.
            let open = drawn.privacy == PrivacyMode::SearchEnabled;
            if near && open && conversations.iter().all(|known| known.id != drawn.id) {
                conversations.push(drawn);
                if conversations.len() == most {
                    break;
                }
            }
        }
        // Who is muted is refused.
        for conversation in &mut conversations {
            conversation.members = world.speakers(conversation);
        }
        conversations.retain(|conversation| !conversation.members.is_empty());
        let sizes = || {
            conversations
                .iter()
                .map(|conversation| conversation.messages)
        };
        Ok(Self {
            about: format!(
                "into {} conversations of {} to {} messages",
                conversations.len(),
                sizes().min().unwrap_or(SIZE),
                sizes().max().unwrap_or(SIZE),
            ),
            conversations: conversations.into_iter().map(Arc::new).collect(),
            texts,
            truth: truth.clone(),
            book: Book::new(truth),
        })
    }

    /// Where messages are sent to.
    pub(super) fn conversations(&self) -> impl Iterator<Item = Uuid> {
        self.conversations
            .iter()
            .map(|conversation| conversation.id)
    }

    fn send(&self, side: Side, message: Request) -> Call {
        let (truth, sent) = (self.truth.clone(), message.clone());
        let back = move |body: &[u8]| Ok(read_back(side, &truth, &sent, parse(body)?));
        Call {
            read_back: Some(Box::new(back)),
            ..self.book.send(side, message)
        }
    }

    /// A message as long as the world's own.
    fn message(&self, random: &mut ChaCha8Rng) -> Request {
        let conversation = &self.conversations[random.random_range(0..self.conversations.len())];
        let mut request = oracle::message(conversation, random);
        if !self.texts.is_empty() {
            request
                .content
                .clone_from(&self.texts[random.random_range(0..self.texts.len())]);
        }
        // Not from the seeded stream, as its id.
        request.idempotency_key = Some(Uuid::new_v4());
        request
    }
}

impl Flow for Send {
    fn id(&self) -> FlowId {
        FlowId::Send
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        self.send(side, self.message(random))
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let mut message = self.message(random);
        let (conversation, sender) = (message.conversation, message.sender);
        oracle::vary(&self.truth.world.oracle, &mut message, random);
        message.content.truncate(LONGEST);
        let known = message.conversation == conversation;
        let is_member = message.sender == sender;
        let call = self.send(side, message).unjudged();
        match (known, is_member) {
            (false, _) => call.refused(404),
            (true, false) => call.refused(403),
            (true, true) => call,
        }
    }

    /// A message that somebody else sent, and that is counted.
    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let conversation = self.conversations.choose(random)?;
        let rows = oracle.conversation(conversation.id)?;
        let shown = Shown {
            recalled: false,
            details: false,
        };
        let page = Page {
            offset: 0,
            limit: MAX_LIMIT,
            moves: true,
            after: None,
        };
        Write::of_kind(Kind::Sent, &rows, shown, page, random)
    }

    /// What is sent is not told apart from what is written beside it.
    fn takes_amid(&self, _write: &Write) -> bool {
        false
    }

    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        Some(Arc::new(self.book.clone()))
    }

    fn again(&self, side: Side, sent: &[Sending]) -> Vec<Call> {
        self.book.again(side, sent)
    }
}

/// Reads the message where its number says that it stands, and wants it whole.
fn read_back(side: Side, truth: &Truth, sent: &Request, answer: Sent) -> Call {
    let moments = truth.of(side);
    let (messages, visible) = moments
        .now()
        .oracle
        .conversation(sent.conversation)
        .map_or((0, 0), |rows| {
            (rows.messages as i64, rows.visible(false).len() as i64)
        });
    // Messages sent before it stand between it and the world's last.
    let earlier = answer.sequence_number - messages - 1;
    let offset = visible + earlier;
    let page = contract::Request {
        conversation: sent.conversation,
        viewer: sent.sender,
        limit: 1,
        offset,
        include_recalled: false,
    };
    let sent = sent.clone();
    Call::get(
        side,
        moments,
        &history::path(&page),
        Box::new(|_, _| Ok(())),
        Box::new(move |_, body| {
            let page: HistoryAnswer = parse(body)?;
            let stored = page.messages.into_iter().next();
            let due = stored.as_ref().map(|stored| DetailedMessage {
                message: Message {
                    id: sent.id,
                    sender_id: sent.sender,
                    sequence_number: offset + 1,
                    // The database's own clock.
                    created_at: stored.message.created_at,
                    recalled_at: None,
                    updated_at: stored.message.created_at,
                    version_number: 1,
                    content: Some(sent.content.clone()),
                    content_encrypted: None,
                    content_nonce: None,
                    message_type: "text".to_owned(),
                },
                reactions: Vec::new(),
                attachments: Vec::new(),
            });
            same("rows", &1, &usize::from(stored.is_some()))?;
            same("the row of what was sent", &due, &stored)
        }),
    )
}
