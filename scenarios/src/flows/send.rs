//! Sending into conversations of about 1 000 messages.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::Message;
use verdict_baseline::message_send as contract;
use verdict_seed::{Conversation, World};

use super::{Call, Check, Flow, Http, Lacking, Sent, parse};
use crate::contract::same;
use crate::ladder;
use crate::message_history;

/// Messages in a conversation, as in the audit's target.
const SIZE: u64 = 1_000;

/// How far a conversation's size may be from it, as a factor.
const NEAR: f64 = 1.5;

/// Conversations at most: enough that 64 senders seldom meet in one row.
const MOST: usize = 32;

/// Draws by popularity in search of them.
const DRAWS: usize = 5_000;

/// The flow.
#[derive(Debug)]
pub(super) struct Send {
    about: String,
    conversations: Vec<Arc<Conversation>>,
    /// Messages that are seen in each.
    visible: Vec<usize>,
    /// What the world's own messages say.
    texts: Vec<String>,
}

impl Send {
    pub(super) fn new(world: &World, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
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
            let open = drawn.privacy == verdict_seed::PrivacyMode::SearchEnabled;
            if near && open && conversations.iter().all(|known| known.id != drawn.id) {
                conversations.push(drawn);
                if conversations.len() == MOST {
                    break;
                }
            }
        }
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
            visible: conversations
                .iter()
                .map(|conversation| message_history::timeline(world, conversation, false).len())
                .collect(),
            conversations: conversations.into_iter().map(Arc::new).collect(),
            texts,
        })
    }

    fn message(&self, place: usize, random: &mut ChaCha8Rng) -> contract::Request {
        let conversation = &self.conversations[place];
        let content = match random.random_range(0..self.texts.len().max(1)) {
            text if text < self.texts.len() => self.texts[text].clone(),
            _ => "a message".to_owned(),
        };
        contract::Request {
            // Not from the seeded stream: two generators of the same seed must not collide.
            id: Uuid::new_v4(),
            conversation: conversation.id,
            sender: conversation.members[random.random_range(0..conversation.members.len())],
            content,
            idempotency_key: None,
        }
    }

    fn post(&self, side: Side, place: usize, message: &contract::Request) -> Call {
        let conversation = Arc::clone(&self.conversations[place]);
        let (id, before) = (message.id, conversation.messages as i64);
        let check: Check = Box::new(move |body| {
            let sent: contract::Sent = parse(body)?;
            same("id", &id, &sent.id)?;
            if sent.sequence_number <= before {
                return Err(format!(
                    "number {} after {before} messages",
                    sent.sequence_number
                ));
            }
            Ok(())
        });
        Call {
            side,
            path: format!("/{side}/conversations/{}/messages", message.conversation),
            body: Some(
                json!({
                    "id": message.id,
                    "sender": message.sender,
                    "content": message.content,
                })
                .to_string(),
            ),
            status: 201,
            check,
            leaves: Some(Sent {
                conversation,
                id: message.id,
            }),
        }
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
        let place = random.random_range(0..self.conversations.len());
        let message = self.message(place, random);
        self.post(side, place, &message)
    }

    /// The same message to both sides: the same number, and the same row read back.
    fn compare<'a>(
        &'a self,
        http: &'a Http,
        random: &'a mut ChaCha8Rng,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let place = random.random_range(0..self.conversations.len());
            let message = self.message(place, random);
            let mut answers = Vec::new();
            for side in [Side::Baseline, Side::Optimized] {
                let sent: contract::Sent =
                    parse(&http.ask(&self.post(side, place, &message)).await?)?;
                // Other messages sent before it stand between it and the world's last.
                let earlier = sent.sequence_number - self.conversations[place].messages as i64 - 1;
                let offset = self.visible[place] as i64 + earlier;
                let path = format!(
                    "/conversations/{}/messages?viewer={}&limit=1&offset={offset}",
                    message.conversation, message.sender
                );
                let read = http
                    .ask(&Call::get(side, &path, Box::new(|_| Ok(()))))
                    .await?;
                let page: Page = parse(&read)?;
                let row = page.messages.into_iter().next().map(|row| {
                    let Message {
                        id,
                        sender_id,
                        sequence_number,
                        content,
                        message_type,
                        version_number,
                        ..
                    } = row;
                    (
                        id,
                        sender_id,
                        sequence_number,
                        content,
                        message_type,
                        version_number,
                    )
                });
                let stored = row.as_ref().map(|row| (row.0, row.1, row.3.clone()));
                let due = (message.id, message.sender, Some(message.content.clone()));
                if stored != Some(due) {
                    return Err(format!("{message:?} on {side} is stored as {row:?}"));
                }
                answers.push((sent.sequence_number, row));
            }
            same("number and row", &answers[0], &answers[1])
                .map_err(|difference| format!("{message:?}: {difference}"))
        })
    }
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
}
