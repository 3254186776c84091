//! Item 2: which messages are sent, and what a right answer and a right row are.

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use verdict_baseline::Refused;
use verdict_baseline::message_send::{Request, Sent};
use verdict_seed::Conversation;

use crate::difference::{Difference, Held, same};
use crate::ladder;
use crate::oracle::Oracle;

/// Messages up to which a conversation is drawn for the check.
const LARGEST: u64 = 10_000;

/// A message over every parameter: any conversation and any of its members, and what [`vary`]
/// makes of it.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Request {
    let world = oracle.world();
    let rungs: Vec<Conversation> = ladder::conversations_up_to(world, LARGEST).collect();
    let conversation = match rungs.choose(random) {
        Some(rung) if random.random_bool(0.3) => rung.clone(),
        _ => world.sample_conversation(random),
    };
    let mut request = message(&conversation, random);
    vary(oracle, &mut request, random);
    request
}

/// Another text, of every kind, with a key or without; now and then to a conversation or from a
/// sender that does not exist.
pub fn vary(oracle: &Oracle, request: &mut Request, random: &mut impl Rng) {
    request.content = match random.random_range(0..6) {
        0 => String::new(),
        1 => "\"quotes\", 'apostrophes', \\slashes\\, %s and $1; -- ✓ 消息\n\t".to_owned(),
        2 => "long ".repeat(random.random_range(200..20_000)),
        _ => std::mem::take(&mut request.content),
    };
    // Not from the seeded stream: two runs on one server must not collide.
    request.idempotency_key = random.random_bool(0.3).then(Uuid::new_v4);
    match random.random_range(0..20) {
        0 => request.conversation = oracle.nobody(random),
        1 => request.sender = oracle.nobody(random),
        _ => {}
    }
}

/// A message about as long as most, from one of a conversation's members.
pub fn message(conversation: &Conversation, random: &mut impl Rng) -> Request {
    let number: u32 = random.random();
    Request {
        // Not from the seeded stream: two runs on one server must not collide.
        id: Uuid::new_v4(),
        conversation: conversation.id,
        sender: conversation
            .members
            .choose(random)
            .copied()
            .unwrap_or_default(),
        content: format!("message {number} of a trial, about as long as most messages"),
        idempotency_key: None,
    }
}

/// Whether an answer to a message alone is right: its own id, and a number after those of the
/// world's messages; or the refusal that is due. Which number it is follows from what else was
/// sent: [`hold_stored`].
///
/// # Errors
/// What is wrong with it.
pub fn hold(oracle: &Oracle, request: &Request, answer: &Result<Sent, Refused>) -> Held {
    let conversation = oracle.conversation(request.conversation);
    let due = match &conversation {
        None => Some(Refused::UnknownConversation),
        Some(rows) if rows.members.contains(&request.sender) => None,
        Some(_) => Some(Refused::UnknownSender),
    };
    match (due, answer) {
        (None, Ok(sent)) => {
            same("id", &request.id, &sent.id)?;
            let before = conversation.map_or(0, |rows| rows.messages as i64);
            if sent.sequence_number > before {
                Ok(())
            } else {
                Err(Difference(format!(
                    "number {} was given after {before} messages",
                    sent.sequence_number
                )))
            }
        }
        (due, answer) => same("refusal", &due, &answer.err()),
    }
}

/// What is found in the database after a send.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The message's row, every column; none when there is no such row.
    pub row: Option<Map<String, Value>>,
    /// Messages of the conversation up to this one, by time.
    pub up_to: i64,
    /// The conversation's `updated_at`.
    pub updated_at: Option<DateTime<Utc>>,
    /// The newest message's `created_at`.
    pub newest: Option<DateTime<Utc>>,
    /// The message's `created_at`.
    pub created_at: Option<DateTime<Utc>>,
    /// The server's time when it was looked.
    pub now: DateTime<Utc>,
}

/// How long ago a message that is read back can have been sent: its block ended long before.
const AGO: TimeDelta = TimeDelta::minutes(30);

/// Whether what is found after a send is right: the row in every column, the number the one that
/// the row's place gives, and the conversation's time moved.
///
/// # Errors
/// The first column that is wrong.
pub fn hold_stored(request: &Request, answer: &Result<Sent, Refused>, stored: &Stored) -> Held {
    let Ok(sent) = answer else {
        return same("a refused message's row", &None, &stored.row);
    };
    hold_row(request, stored.row.as_ref())?;
    if !stored
        .created_at
        .is_some_and(|at| at <= stored.now && at > stored.now - AGO)
    {
        return Err(Difference(format!(
            "created_at: {:?}, and it is {}",
            stored.created_at, stored.now
        )));
    }
    same("number", &stored.up_to, &sent.sequence_number)?;
    same(
        "the conversation's updated_at",
        &stored.newest,
        &stored.updated_at,
    )
}

/// Whether the row of a message that was acknowledged is there, and is the request's in every
/// column. Columns that a variant adds are its own.
///
/// # Errors
/// That it is not stored, or the first column that is wrong.
pub fn hold_row(request: &Request, row: Option<&Map<String, Value>>) -> Held {
    let Some(row) = row else {
        return Err(Difference(format!(
            "{} was acknowledged and is not stored",
            request.id
        )));
    };
    let created_at = row.get("created_at").cloned().unwrap_or_default();
    let due = json!({
        "id": request.id.to_string(),
        "conversation_id": request.conversation.to_string(),
        "sender_id": request.sender.to_string(),
        "content": request.content,
        "content_encrypted": null,
        "content_nonce": null,
        "message_type": "text",
        "version_number": 1,
        "created_at": created_at,
        "updated_at": created_at,
        "edited_at": null,
        "recalled_at": null,
        "deleted_at": null,
        "idempotency_key": request.idempotency_key.map(|key| key.to_string()),
    });
    for (column, due) in due.as_object().into_iter().flatten() {
        same(column, &Some(due), &row.get(column))?;
    }
    Ok(())
}
