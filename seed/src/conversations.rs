//! Conversations and who is in them.

use std::ops::Range;

use chrono::{DateTime, Utc};
use rand::{Rng, RngExt};
use uuid::Uuid;

use crate::blocks::{Segment, segments};
use crate::distribution::pareto;
use crate::ids::Kind;
use crate::messages::Message;
use crate::rhythm::{HOUR, NOW, SECOND, at, later};
use crate::stream::Aspect;
use crate::world::World;

/// Messages that share one set of random streams.
const LONGEST_SEGMENT: u32 = 512;
/// Members of the largest group.
const LARGEST_GROUP: u32 = 200;

/// A conversation's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationKind {
    /// Between two users, without a name.
    Direct,
    /// Between three or more, with a name.
    Group,
}

impl ConversationKind {
    /// As the database holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
        }
    }
}

/// Whether the service can read a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivacyMode {
    /// Plain text, which searches find.
    SearchEnabled,
    /// Encrypted end to end: messages have no plain text.
    StrictE2e,
}

impl PrivacyMode {
    /// As the database holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SearchEnabled => "search_enabled",
            Self::StrictE2e => "strict_e2e",
        }
    }
}

/// One conversation, without its messages (see [`World::messages`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: Uuid,
    /// Its messages, deleted and recalled ones included.
    pub messages: u64,
    /// Its members; the first is the owner and creator.
    pub members: Vec<Uuid>,
    /// Its type.
    pub kind: ConversationKind,
    /// Whether its messages have plain text.
    pub privacy: PrivacyMode,
    /// Its name; groups have one.
    pub name: Option<String>,
    /// When it was created, before its first message.
    pub created_at: DateTime<Utc>,
    pub(crate) index: u32,
}

/// One member as the database holds it.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) role: &'static str,
    pub(crate) joined_at: DateTime<Utc>,
    pub(crate) last_read: Option<(Uuid, DateTime<Utc>)>,
    pub(crate) muted: bool,
    pub(crate) archived: bool,
}

impl Conversation {
    pub(crate) fn new(world: &World, index: u32) -> Self {
        let messages = world.messages_by_conversation().of(index);
        let rung = (index as usize) < world.sizes.ladder.len();
        let mut random = world.stream(Aspect::CONVERSATION_KIND, index.into());
        // The more is said, the more likely it is a group.
        let group = (0.1 + 0.1 * (messages as f64).ln()).min(0.85);
        let (group, strict) = (random.random_bool(group), random.random_bool(0.05));
        let name_words = random.random_range(1..=3);
        let name = world.vocabulary().text(&mut random, name_words);
        let kind = if group || rung {
            ConversationKind::Group
        } else {
            ConversationKind::Direct
        };
        let privacy = if strict && !rung {
            PrivacyMode::StrictE2e
        } else {
            PrivacyMode::SearchEnabled
        };
        let members = members(world, index, kind);
        Self {
            id: world.ids.id(Kind::Conversation, index.into()),
            messages,
            members: members
                .into_iter()
                .map(|user| world.user_id(user))
                .collect(),
            kind,
            privacy,
            name: (kind == ConversationKind::Group).then_some(name),
            created_at: at(world.conversation_life(index).start - HOUR),
            index,
        }
    }

    /// Its rows of `conversation_members`. `recent` are its last messages, among which the
    /// members' reading positions lie.
    pub(crate) fn memberships(&self, world: &World, recent: &[Message]) -> Vec<Membership> {
        let mut random = world.stream(Aspect::MEMBERSHIP, self.index.into());
        let first = u64::from(self.index) << 8;
        let member = |(place, &user): (usize, &Uuid)| {
            let admin = random.random_bool(0.1);
            let read = random.random_bool(0.9);
            let message = &recent[random.random_range(0..recent.len())];
            let seen = message.created_at.timestamp_micros();
            Membership {
                id: world.ids.id(Kind::Member, first + place as u64),
                user,
                role: match (place, self.kind) {
                    (0, _) => "owner",
                    (_, ConversationKind::Group) if admin => "admin",
                    _ => "member",
                },
                joined_at: self.created_at,
                last_read: read.then(|| (message.id, at(later(seen, 300.0 * SECOND as f64)))),
                muted: random.random_bool(0.05),
                archived: random.random_bool(0.08),
            }
        };
        self.members.iter().enumerate().map(member).collect()
    }
}

impl World {
    /// From when to when a conversation's messages lie, in microseconds since 1970.
    fn conversation_life(&self, index: u32) -> Range<i64> {
        let mut random = self.stream(Aspect::CONVERSATION_LIFE, index.into());
        let messages = self.messages_by_conversation().of(index);
        let beginning = self.beginning();
        let history = (NOW - beginning) as f64;
        // At most one message a minute in the long run, and the larger the longer alive.
        let least = (messages as f64 * 60.0 * SECOND as f64).min(history * 0.95);
        let start = (history - least) * random.random::<f64>();
        let longer = (history - start - least)
            * random
                .random::<f64>()
                .powf(2.0 / (1.0 + (messages as f64).ln()));
        let from = beginning + start as i64;
        from..(from + (least + longer) as i64).clamp(from + 1, NOW)
    }

    pub(crate) fn conversation_segments(
        &self,
        index: u32,
    ) -> impl Iterator<Item = Segment> + use<> {
        segments(
            self.messages_by_conversation(),
            index,
            self.conversation_life(index),
            LONGEST_SEGMENT,
        )
    }

    /// A user near another, as friends and regular readers are: the nearer, the likelier.
    pub(crate) fn neighbour(&self, of: u32, random: &mut impl Rng) -> u32 {
        let others = f64::from(self.sizes.users - 1);
        let distance = 1 + (others * random.random::<f64>().powi(3)) as u32;
        ((u64::from(of) + u64::from(distance)) % self.users()) as u32
    }
}

/// Distinct users, active ones and their neighbours; the first is the owner.
fn members(world: &World, index: u32, kind: ConversationKind) -> Vec<u32> {
    let mut random = world.stream(Aspect::MEMBERS, index.into());
    let count = match kind {
        ConversationKind::Direct => 2,
        ConversationKind::Group => (3.0 * pareto(&mut random, 1.3)) as u32,
    };
    let count = count.min(LARGEST_GROUP).min(world.sizes.users / 2) as usize;
    let owner = world.activity().sample(&mut random);
    let mut members = vec![owner];
    while members.len() < count {
        let mut user = if random.random_bool(0.5) {
            world.activity().sample(&mut random)
        } else {
            world.neighbour(owner, &mut random)
        };
        while members.contains(&user) {
            user = (user + 1) % world.sizes.users;
        }
        members.push(user);
    }
    members
}
