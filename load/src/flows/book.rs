//! The account of messages that were sent: what is stored of them, and that they are refused
//! when they are sent once more.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::Side;
use verdict_baseline::message_send::{Request, Sent, unsend};
use verdict_oracle::{Held, message_send as oracle, same};
use verdict_store::fault::Doing;

use super::call::{Call, parse};
use super::keeper::{Keeper, Leaves, Sending};
use super::stored;
use crate::moments::{Due, Truth};

/// Messages that are sent once more.
const AGAIN: usize = 3;

/// Keeps account of messages.
#[derive(Debug, Clone)]
pub(super) struct Book {
    truth: Truth,
}

impl Book {
    pub(super) fn new(truth: &Truth) -> Self {
        Self {
            truth: truth.clone(),
        }
    }

    /// Sends a message, and keeps account of it.
    pub(super) fn send(&self, side: Side, message: Request) -> Call {
        let id = message.id;
        let path = format!("/{side}/conversations/{}/messages", message.conversation);
        let mut body = json!({
            "id": message.id,
            "sender": message.sender,
            "content": message.content,
        });
        if let Some(key) = message.idempotency_key {
            body["idempotency_key"] = json!(key);
        }
        let message = Arc::new(message);
        let sent = Arc::clone(&message);
        Call {
            side,
            path,
            body: Some(body.to_string()),
            status: 201,
            shape: Box::new(move |_, body| {
                let sent: Sent = parse(body)?;
                same("id", &id, &sent.id)
            }),
            whole: Box::new(move |right, body| {
                oracle::hold(&right.oracle, &sent, &Ok(parse(body)?))
            }),
            read_back: None,
            leaves: Some(Leaves {
                message,
                keeper: Arc::new(self.clone()),
            }),
            due: Due::of(self.truth.of(side)),
            judged: true,
        }
    }

    /// The whole request again, and another message of the same key: neither is accepted twice.
    pub(super) fn again(&self, side: Side, sent: &[Sending]) -> Vec<Call> {
        let acknowledged = sent
            .iter()
            .filter(|sending| sending.acknowledged().is_some());
        acknowledged
            .rev()
            .filter(|sending| sending.message.idempotency_key.is_some())
            .take(AGAIN)
            .flat_map(|sending| {
                let message = &*sending.message;
                let same = self.send(side, message.clone());
                let other = Request {
                    id: Uuid::new_v4(),
                    content: "another message of the same key".to_owned(),
                    ..message.clone()
                };
                [
                    // Whatever it left is the first one's.
                    Call {
                        leaves: None,
                        ..same
                    },
                    self.send(side, other),
                ]
            })
            .map(|call| call.refused(409))
            .collect()
    }
}

impl Keeper for Book {
    fn hold<'a>(
        &'a self,
        side: Side,
        pool: &'a PgPool,
        sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<Vec<Held>, verdict_store::Error>> {
        Box::pin(async move {
            let now = self.truth.of(side).now();
            stored::hold(side, &now.oracle, pool, sent).await
        })
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
