//! Item 12: who asks for pages and sends messages, and what is right of either. Pages are item 1's,
//! and messages item 2's, but for their numbers where many are sent at once: today may give two of
//! them the same one, with any pool.

use rand::Rng;
use serde_json::{Map, Value};
use verdict_baseline::Refused;
use verdict_baseline::pool::{Message, PageRequest, Sent};
use verdict_seed::Conversation;

use crate::conversation::ConversationRows;
use crate::difference::{Difference, Held, same};
use crate::message_send;
use crate::oracle::Oracle;

pub use crate::message_history::{draw as draw_page, hold as hold_page, write_between};
pub use crate::message_send::{draw as draw_message, hold as hold_message};

/// Rows of a page, as in the audit's load targets.
const LIMIT: i64 = 100;

/// The first page of a conversation, by one of its members.
pub fn page(oracle: &Oracle, conversation: &Conversation, viewer: usize) -> Option<PageRequest> {
    let rows = oracle.conversation(conversation.id)?;
    Some(of(&rows, conversation, viewer, 0))
}

/// Its last page, for which today numbers all of its messages.
pub fn last_page(oracle: &Oracle, conversation: &Conversation) -> Option<PageRequest> {
    let rows = oracle.conversation(conversation.id)?;
    let visible = rows.visible(false).len() as i64;
    Some(of(&rows, conversation, 0, (visible - LIMIT).max(0)))
}

fn of(
    rows: &ConversationRows,
    conversation: &Conversation,
    viewer: usize,
    offset: i64,
) -> PageRequest {
    let members = &rows.members;
    PageRequest {
        conversation: conversation.id,
        viewer: members
            .get(viewer % members.len().max(1))
            .copied()
            .unwrap_or_default(),
        limit: LIMIT,
        offset,
        include_recalled: false,
    }
}

/// A message of one of many senders, each to a conversation of the world's: where all send to one
/// they wait for its row, whatever the pool.
pub fn message(oracle: &Oracle, random: &mut impl Rng) -> Message {
    message_send::message(&oracle.world().sample_conversation(random), random)
}

/// Whether what is stored of a message is right, and its number one of those that its conversation
/// has, which is of so many messages by now: the one that is due where nobody else sends.
///
/// # Errors
/// That it is not stored, or the first column that is wrong.
pub fn hold_stored(
    message: &Message,
    answer: &Result<Sent, Refused>,
    row: Option<&Map<String, Value>>,
    messages: i64,
) -> Held {
    let Ok(sent) = answer else {
        return same("a refused message's row", &None, &row);
    };
    message_send::hold_row(message, row)?;
    match sent.sequence_number {
        number if number <= messages => Ok(()),
        number => Err(Difference(format!(
            "number {number} was given in a conversation of {messages} messages"
        ))),
    }
}
