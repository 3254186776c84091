//! Sending into conversations of about 1 000 messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::{DetailedMessage, Message, Request as Page};
use verdict_baseline::message_send::{Request, Sent, unsend};
use verdict_oracle::{Held, Oracle, ladder, message_send as oracle, same};
use verdict_seed::{Conversation, PrivacyMode};
use verdict_service::HistoryAnswer;
use verdict_store::fault::Doing;

use super::{Call, Flow, Lacking, Sending, history, parse, stored};

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
    /// What the world's own messages say.
    texts: Vec<String>,
    oracle: Arc<Oracle>,
}

impl Send {
    pub(super) fn new(oracle: &Arc<Oracle>, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        let world = oracle.world();
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
            conversations: conversations.into_iter().map(Arc::new).collect(),
            texts,
            oracle: Arc::clone(oracle),
        })
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
        let message = self.message(random);
        let id = message.id;
        let path = format!("/{side}/conversations/{}/messages", message.conversation);
        let body = json!({
            "id": message.id,
            "sender": message.sender,
            "content": message.content,
        });
        let (oracle, request) = (Arc::clone(&self.oracle), Arc::new(message));
        let (again, sent) = (Arc::clone(&oracle), Arc::clone(&request));
        let leaves = Some(Arc::clone(&request));
        Call {
            side,
            path,
            body: Some(body.to_string()),
            status: 201,
            shape: Box::new(move |body| {
                let sent: Sent = parse(body)?;
                same("id", &id, &sent.id)
            }),
            whole: Box::new(move |body| oracle::hold(&oracle, &request, &Ok(parse(body)?))),
            read_back: Some(Box::new(move |body| {
                Ok(read_back(side, &again, &sent, parse(body)?))
            })),
            leaves,
        }
    }

    fn writes(&self) -> bool {
        true
    }

    fn hold_sent<'a>(
        &'a self,
        side: Side,
        pool: &'a PgPool,
        sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<Vec<Held>, verdict_store::Error>> {
        Box::pin(stored::hold(side, &self.oracle, pool, sent))
    }

    fn take_back<'a>(
        &'a self,
        pool: &'a PgPool,
        sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<(), verdict_store::Error>> {
        Box::pin(async move {
            let mut by_conversation: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
            for Sending { message, .. } in sent {
                by_conversation
                    .entry(message.conversation)
                    .or_default()
                    .push(message.id);
            }
            for (conversation, messages) in &by_conversation {
                unsend(pool, *conversation, messages)
                    .await
                    .doing("take back the messages that were sent")?;
            }
            Ok(())
        })
    }
}

/// Reads the message where its number says that it stands, and wants it whole.
fn read_back(side: Side, oracle: &Oracle, sent: &Arc<Request>, answer: Sent) -> Call {
    let (messages, visible) = oracle
        .conversation(sent.conversation)
        .map_or((0, 0), |rows| {
            (rows.messages as i64, rows.visible(false).len() as i64)
        });
    // Messages sent before it stand between it and the world's last.
    let earlier = answer.sequence_number - messages - 1;
    let offset = visible + earlier;
    let page = Page {
        conversation: sent.conversation,
        viewer: sent.sender,
        limit: 1,
        offset,
        include_recalled: false,
    };
    let sent = Arc::clone(sent);
    Call::get(
        side,
        &history::path(&page),
        Box::new(|_| Ok(())),
        Box::new(move |body| {
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
