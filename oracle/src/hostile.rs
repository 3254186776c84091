//! Rows that no ordinary world has: a conversation and an author whose rows are all of one
//! instant, with deleted, recalled and much reacted-to messages among them. An item that needs
//! them adds them to both sides before its answers are compared.

use chrono::{DateTime, Datelike, DurationRound, TimeDelta, Utc};
use uuid::Uuid;
use verdict_baseline::message_history::{Attachment, Message};
use verdict_baseline::pagination::Post;
use verdict_seed::{Reaction, World};

use crate::author::AuthorRows;
use crate::conversation::{ConversationRows, Row};

/// Rows of the tied conversation and of the tied author.
const ROWS: u128 = 60;

/// Ids of this module lie in a range of their own: the version bits say 8, "custom".
const IDS: u128 = 0x7e0f_0000_0000_8000_8000_0000_0000_0000;
const CONVERSATION: u128 = IDS;
const AUTHOR: u128 = IDS + 1;
const MESSAGES: u128 = IDS + 0x1_0000;
const POSTS: u128 = IDS + 0x2_0000;
const REACTIONS: u128 = IDS + 0x3_0000;
const SEARCHED: u128 = IDS + 2;
const ENCRYPTED: u128 = IDS + 3;
const BORDER: u128 = IDS + 4;
const SEARCHED_MESSAGES: u128 = IDS + 0x4_0000;
const ENCRYPTED_MESSAGES: u128 = IDS + 0x5_0000;
const BORDER_MESSAGES: u128 = IDS + 0x6_0000;

/// What is said in the searched conversations, over and over, at one instant of three.
const TEXTS: [&str; 12] = [
    "lantern",
    "The LANTERN, the lanterns and the lantern",
    "\"lantern\" & 'meridian' | museum",
    "meridian far away from it a lantern hangs over the kitchen",
    "lantern meridian",
    "the and of",
    "",
    "消息 lantern",
    "消息",
    "meeting on the weekend, guitar included",
    "running to the bridge; run, running",
    "zephyrite",
];

/// Hostile rows that an item needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hostile {
    /// [`tied_conversation`].
    TiedConversation,
    /// [`tied_author`].
    TiedAuthor,
    /// [`searched_conversation`].
    SearchedConversation,
    /// [`encrypted_conversation`].
    EncryptedConversation,
    /// [`border_conversation`].
    BorderConversation,
}

impl Hostile {
    /// The id that they are found by.
    pub const fn id(self) -> Uuid {
        match self {
            Self::TiedConversation => tied_conversation(),
            Self::TiedAuthor => tied_author(),
            Self::SearchedConversation => searched_conversation(),
            Self::EncryptedConversation => encrypted_conversation(),
            Self::BorderConversation => border_conversation(),
        }
    }
}

/// The instant of all of them.
pub fn instant(world: &World) -> DateTime<Utc> {
    world.clock() - TimeDelta::days(3)
}

/// The id of the conversation whose messages are all of one instant.
pub const fn tied_conversation() -> Uuid {
    Uuid::from_u128(CONVERSATION)
}

/// The id of the author whose posts are all of one instant.
pub const fn tied_author() -> Uuid {
    Uuid::from_u128(AUTHOR)
}

/// The id of the conversation with every kind of text, deleted and recalled ones among them.
pub const fn searched_conversation() -> Uuid {
    Uuid::from_u128(SEARCHED)
}

/// The id of the conversation that is encrypted end to end and yet has plain text.
pub const fn encrypted_conversation() -> Uuid {
    Uuid::from_u128(ENCRYPTED)
}

/// The id of the conversation whose messages lie around a month's beginning.
pub const fn border_conversation() -> Uuid {
    Uuid::from_u128(BORDER)
}

/// The searched conversation.
pub fn searched(world: &World) -> ConversationRows {
    let at = |row| instant(world) + TimeDelta::seconds(row / 5 % 3);
    said(world, searched_conversation(), SEARCHED_MESSAGES, at)
}

/// The encrypted conversation.
pub fn encrypted(world: &World) -> ConversationRows {
    let at = |row| instant(world) + TimeDelta::seconds(row / 5 % 3);
    let mut rows = said(world, encrypted_conversation(), ENCRYPTED_MESSAGES, at);
    rows.strict = true;
    rows
}

/// The beginning of the month that the world ends in.
pub fn month(world: &World) -> DateTime<Utc> {
    let day = TimeDelta::days(world.clock().day0().into());
    (world.clock() - day)
        .duration_trunc(TimeDelta::days(1))
        .unwrap_or_else(|_| world.clock())
}

/// The conversation around a month's beginning: a few messages of one instant, and some days.
pub fn border(world: &World) -> ConversationRows {
    let at = |row: i64| {
        let from_middle = row / 3 - ROWS as i64 / 6;
        let apart = match from_middle.abs() {
            near @ 0..6 => TimeDelta::microseconds(near),
            far => TimeDelta::days(far - 5),
        };
        month(world) + apart * from_middle.signum() as i32
    };
    said(world, border_conversation(), BORDER_MESSAGES, at)
}

fn said(
    world: &World,
    id: Uuid,
    messages: u128,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> ConversationRows {
    let members: Vec<Uuid> = (0..3).map(|user| world.user(user)).collect();
    let texts = (0..ROWS).zip(TEXTS.iter().cycle());
    let rows = texts.map(|(row, text)| {
        let now = at(row as i64);
        let sender = members[row as usize % members.len()];
        let id = Uuid::from_u128(messages + row);
        let mut said = Row::new(id, sender, now, (*text).to_owned());
        said.message.recalled_at = (row % 5 == 2).then_some(now);
        said.message.content = said.message.content.filter(|_| row % 11 != 9);
        said.deleted_at = (row % 7 == 3).then_some(now);
        said
    });
    ConversationRows::new(id, members.clone(), rows.collect())
}

/// The tied conversation.
pub fn conversation(world: &World) -> ConversationRows {
    let now = instant(world);
    let owner = world.user(0);
    let rows = (0..ROWS).map(|row| Row {
        message: Message {
            id: Uuid::from_u128(MESSAGES + row),
            sender_id: owner,
            sequence_number: 0,
            created_at: now,
            recalled_at: (row % 5 == 2).then_some(now),
            updated_at: now,
            version_number: 1,
            content: (row % 4 != 0).then(|| format!("tied {row}: \"quotes\", \\slashes\\ and ✓")),
            content_encrypted: (row % 4 == 0).then(|| format!("cipher {row}").into_bytes()),
            content_nonce: (row % 4 == 0).then(|| format!("nonce {row}").into_bytes()),
            message_type: "text".to_owned(),
        },
        deleted_at: (row % 7 == 3).then_some(now),
        // Several users with one emoji, one user with several, and several attachments: where
        // a join of both would multiply rows.
        reactions: (0..row % 5)
            .map(|reaction| Reaction {
                id: Uuid::from_u128(REACTIONS + 0x100 * row + reaction),
                message: Uuid::from_u128(MESSAGES + row),
                user: world.user((reaction % 3) as u64),
                emoji: ["👍", "🎉", "'"][(reaction / 2) as usize % 3],
                created_at: now,
            })
            .collect(),
        attachments: (0..row % 3)
            .map(|attachment| Attachment {
                id: Uuid::from_u128(MESSAGES + 0x1000 * (attachment + 1) + row),
                file_name: "same name.txt".to_owned(),
                file_type: "text/plain".to_owned(),
                file_size: 0,
                s3_key: String::new(),
            })
            .collect(),
    });
    let members = (0..3).map(|user| world.user(user)).collect();
    ConversationRows::new(tied_conversation(), members, rows.collect())
}

/// The tied author.
pub fn author(world: &World) -> AuthorRows {
    let now = instant(world);
    let posts = (0..ROWS).map(|row| Post {
        id: Uuid::from_u128(POSTS + row),
        user_id: tied_author(),
        caption: None,
        image_key: String::new(),
        image_sizes: None,
        status: "published".to_owned(),
        content_type: "image".to_owned(),
        created_at: now,
        updated_at: now,
        soft_delete: (row % 7 == 3).then_some(now),
    });
    AuthorRows::new(tied_author(), posts.collect())
}

#[cfg(test)]
mod tests {
    use verdict_seed::{Scale, WorldSpec};

    use super::*;

    #[test]
    fn messages_lie_on_either_side_of_a_months_beginning_and_at_it() {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        });
        let month = month(&world);
        assert_eq!((month.day(), month.time()), (1, chrono::NaiveTime::MIN));
        let rows = border(&world);
        let times = || rows.rows().map(|row| row.message.created_at);
        let instant = TimeDelta::microseconds(1);
        for near in [month - instant, month, month + instant] {
            assert!(times().filter(|time| *time == near).count() > 1, "{near}");
        }
        assert!(times().max() < Some(world.clock()));
        assert!(times().any(|time| time < month - TimeDelta::days(3)));
    }
}
