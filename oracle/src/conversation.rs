//! The rows of one conversation, as answers show them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use verdict_baseline::message_history::{
    Attachment, DetailedMessage, Message, Reaction as Reacted,
};
use verdict_seed::{Conversation, PrivacyMode, Reaction, World};

use crate::timeline::{Key, Timeline};
use crate::turn::Turn;

/// A conversation with everything that was said in it.
#[derive(Debug, Clone)]
pub struct ConversationRows {
    /// The conversation.
    pub id: Uuid,
    /// Its members.
    pub members: Vec<Uuid>,
    /// Whether it is encrypted end to end, so that nothing in it may be searched.
    pub strict: bool,
    /// Its messages, deleted and recalled ones included.
    pub messages: u64,
    /// The time of the message that came last, whatever its own time is: where messages are
    /// taken back, that of the newest.
    pub updated_at: Option<DateTime<Utc>>,
    rows: HashMap<Uuid, Arc<Row>>,
    /// What is not deleted.
    all: Timeline,
    /// What is neither deleted nor recalled.
    unrecalled: Timeline,
}

/// A message with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The message; its number depends on who asks.
    pub message: Message,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Who reacted to it, and how.
    pub reactions: Vec<Reaction>,
    /// Its files.
    pub attachments: Vec<Attachment>,
}

impl Row {
    /// A message of plain text to which nothing was done yet.
    pub(crate) fn new(
        id: Uuid,
        sender_id: Uuid,
        created_at: DateTime<Utc>,
        content: String,
    ) -> Self {
        Self {
            message: Message {
                id,
                sender_id,
                sequence_number: 0,
                created_at,
                recalled_at: None,
                updated_at: created_at,
                version_number: 1,
                content: Some(content),
                content_encrypted: None,
                content_nonce: None,
                message_type: "text".to_owned(),
            },
            deleted_at: None,
            reactions: Vec::new(),
            attachments: Vec::new(),
        }
    }

    fn key(&self) -> Key {
        (self.message.created_at, self.message.id)
    }

    /// Whether a history shows it.
    pub(crate) fn is_visible(&self, include_recalled: bool) -> bool {
        self.deleted_at.is_none() && (include_recalled || self.message.recalled_at.is_none())
    }
}

impl ConversationRows {
    /// A conversation of these rows.
    pub fn new(id: Uuid, members: Vec<Uuid>, rows: Vec<Row>) -> Self {
        let visible = |include_recalled| {
            let visible = rows
                .iter()
                .filter(move |row| row.is_visible(include_recalled));
            Timeline::oldest_first(visible.map(Row::key))
        };
        Self {
            id,
            members,
            strict: false,
            messages: rows.len() as u64,
            updated_at: rows.iter().map(|row| row.message.created_at).max(),
            all: visible(true),
            unrecalled: visible(false),
            rows: rows
                .into_iter()
                .map(|row| (row.message.id, Arc::new(row)))
                .collect(),
        }
    }

    /// The generator's rows of a conversation of the world.
    pub(crate) fn of(world: &World, conversation: &Conversation) -> Self {
        let mut reactions: HashMap<Uuid, Vec<Reaction>> = HashMap::new();
        for reaction in world.reactions(conversation) {
            reactions
                .entry(reaction.message)
                .or_default()
                .push(reaction);
        }
        let mut attachments: HashMap<Uuid, Vec<Attachment>> = HashMap::new();
        for file in world.attachments(conversation) {
            attachments
                .entry(file.message)
                .or_default()
                .push(Attachment {
                    id: file.id,
                    file_name: file.file_name,
                    file_type: file.file_type.to_owned(),
                    file_size: file.file_size,
                    s3_key: file.s3_key,
                });
        }
        let rows = world
            .messages(conversation)
            .into_iter()
            .map(|message| {
                let (encrypted, nonce) = message.encrypted.unzip();
                Row {
                    deleted_at: message.deleted_at,
                    reactions: reactions.remove(&message.id).unwrap_or_default(),
                    attachments: attachments.remove(&message.id).unwrap_or_default(),
                    message: Message {
                        id: message.id,
                        sender_id: message.sender,
                        sequence_number: 0,
                        created_at: message.created_at,
                        recalled_at: message.recalled_at,
                        updated_at: message.updated_at,
                        version_number: message.version,
                        content: message.content,
                        content_encrypted: encrypted,
                        content_nonce: nonce.map(Into::into),
                        message_type: message.message_type.as_str().to_owned(),
                    },
                }
            })
            .collect();
        Self {
            strict: conversation.privacy == PrivacyMode::StrictE2e,
            ..Self::new(conversation.id, conversation.members.clone(), rows)
        }
    }

    /// The messages that a history shows, oldest first.
    pub fn visible(&self, include_recalled: bool) -> &Timeline {
        if include_recalled {
            &self.all
        } else {
            &self.unrecalled
        }
    }

    /// A message as a viewer sees it at a place that is counted from 1. Reactions and
    /// attachments are sorted, since neither has an order today.
    pub fn seen(&self, message: Uuid, viewer: Uuid, place: i64) -> Option<DetailedMessage> {
        let row = self.rows.get(&message)?;
        let mut by_emoji: HashMap<&str, (i64, bool)> = HashMap::new();
        for reaction in &row.reactions {
            let (count, user_reacted) = by_emoji.entry(reaction.emoji).or_default();
            *count += 1;
            *user_reacted |= reaction.user == viewer;
        }
        let mut seen = DetailedMessage {
            message: Message {
                sequence_number: place,
                ..row.message.clone()
            },
            reactions: by_emoji
                .into_iter()
                .map(|(emoji, (count, user_reacted))| Reacted {
                    emoji: emoji.to_owned(),
                    count,
                    user_reacted,
                })
                .collect(),
            attachments: row.attachments.clone(),
        };
        seen.reactions.sort();
        seen.attachments.sort();
        Some(seen)
    }

    /// The rows after a message was added, altered or taken away.
    pub(crate) fn turned(&self, turn: &Turn<Arc<Row>>) -> Self {
        let mut rows = self.clone();
        if let Some(before) = &turn.before
            && let Some(gone) = rows.rows.remove(&before.message.id)
        {
            rows.all.remove(gone.key());
            rows.unrecalled.remove(gone.key());
            rows.messages -= 1;
        }
        if let Some(after) = &turn.after {
            for (timeline, include_recalled) in
                [(&mut rows.all, true), (&mut rows.unrecalled, false)]
            {
                if after.is_visible(include_recalled) {
                    timeline.insert(after.key());
                }
            }
            rows.rows.insert(after.message.id, Arc::clone(after));
            rows.messages += 1;
        }
        match (&turn.before, &turn.after) {
            (None, Some(sent)) => rows.updated_at = Some(sent.message.created_at),
            (_, None) => rows.updated_at = rows.newest(),
            (Some(_), Some(_)) => {}
        }
        rows
    }

    /// The rows after somebody joined or left.
    pub(crate) fn with_member(&self, turn: &Turn<Uuid>) -> Self {
        let mut rows = self.clone();
        rows.members.retain(|member| Some(*member) != turn.before);
        rows.members.extend(turn.after);
        rows
    }

    /// The time of the newest message, deleted and recalled ones included.
    pub(crate) fn newest(&self) -> Option<DateTime<Utc>> {
        self.rows().map(|row| row.message.created_at).max()
    }

    /// A message.
    pub fn row(&self, id: Uuid) -> Option<&Arc<Row>> {
        self.rows.get(&id)
    }

    /// How many rows it holds in all, as a measure of the memory it takes.
    pub(crate) fn weight(&self) -> u64 {
        self.messages
    }

    /// Every row, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(Arc::as_ref)
    }
}
