//! One write, told beforehand.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngExt};
use uuid::Uuid;

use super::draw::sent;
use super::{Kind, Rows, Write};
use crate::conversation::{ConversationRows, Row};
use crate::turn::Turn;

impl Write {
    /// A message of this time.
    pub fn said(
        conversation: Uuid,
        sender: Uuid,
        created_at: DateTime<Utc>,
        random: &mut impl Rng,
    ) -> Self {
        let row = sent(Uuid::from_u128(random.random()), sender, created_at);
        Self {
            kind: Kind::Sent,
            rows: Rows::Message {
                conversation,
                turn: Turn::into(Arc::new(row)),
            },
        }
    }

    /// A message deleted, which its row tells; none where it is not there, or deleted already.
    pub fn deleted(rows: &ConversationRows, message: Uuid) -> Option<Self> {
        let before = rows.row(message).filter(|row| row.deleted_at.is_none())?;
        let deleted_at = Some(before.message.updated_at + TimeDelta::seconds(1));
        let after = Row {
            deleted_at,
            ..Row::clone(before)
        };
        Some(Self {
            kind: Kind::Deleted,
            rows: Rows::Message {
                conversation: rows.id,
                turn: Turn::of(Arc::clone(before), Arc::new(after)),
            },
        })
    }

    /// A member more, who was none.
    pub fn joined(conversation: Uuid, user: Uuid) -> Self {
        Self {
            kind: Kind::Joined,
            rows: Rows::Member {
                conversation,
                turn: Turn::into(user),
            },
        }
    }
}
