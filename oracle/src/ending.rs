//! How a conversation ends: what a list of conversations shows of it.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use verdict_seed::{Conversation, World};

use crate::conversation::ConversationRows;

/// A conversation's members and its last messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How many members it has.
    pub members: i32,
    /// The messages of its last instant, deleted and recalled ones included.
    pub last: Vec<Uuid>,
    /// That instant.
    pub newest: Option<DateTime<Utc>>,
    /// The time of the message that came last.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Ending {
    /// Of a conversation of the world.
    pub(crate) fn of(world: &World, conversation: &Conversation) -> Self {
        let last = world.last_messages(conversation);
        let newest = last.first().map(|message| message.created_at);
        Self {
            members: conversation.members.len() as i32,
            last: last.into_iter().map(|message| message.id).collect(),
            newest,
            updated_at: newest,
        }
    }
}

impl From<&ConversationRows> for Ending {
    fn from(rows: &ConversationRows) -> Self {
        let newest = rows.newest();
        let last = rows
            .rows()
            .filter(|row| Some(row.message.created_at) == newest);
        Self {
            members: rows.members.len() as i32,
            last: last.map(|row| row.message.id).collect(),
            newest,
            updated_at: rows.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use verdict_seed::{Scale, WorldSpec};

    use super::*;

    #[test]
    fn an_ending_is_that_of_all_rows() {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        });
        for index in 0..100 {
            let conversation = world.conversation(index);
            let mut ending = Ending::of(&world, &conversation);
            let mut of_rows = Ending::from(&ConversationRows::of(&world, &conversation));
            ending.last.sort_unstable();
            of_rows.last.sort_unstable();
            assert_eq!(ending, of_rows);
            assert!(!ending.last.is_empty());
        }
    }
}
