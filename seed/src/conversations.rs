//! Conversations and who is in them.

use std::ops::Range;

use chrono::{DateTime, Utc};
use rand::{Rng, RngExt};
use uuid::Uuid;

use crate::blocks::{Segment, segments};
use crate::distribution::pareto;
use crate::ids::Kind;
use crate::rhythm::{HOUR, NOW, SECOND, at, later};
use crate::rows::{Conversation, ConversationKind, Message, PrivacyMode};
use crate::stream::Aspect;
use crate::world::World;

/// Messages that share one set of random streams.
const LONGEST_SEGMENT: u32 = 512;
/// Members of the largest group.
const LARGEST_GROUP: u32 = 200;

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

impl World {
    /// The `index`-th conversation; `index` wraps around at
    /// [`conversations`](Self::conversations).
    pub fn conversation(&self, index: u64) -> Conversation {
        self.nth_conversation((index % self.conversations()) as u32)
    }

    /// Group conversations of exactly 100, 1 000, 10 000 and 100 000 messages, as far as
    /// the scale goes, ascending. Deleted and recalled messages are in the count.
    pub fn ladder_conversations(&self) -> Vec<Conversation> {
        (0..self.sizes.ladder.len() as u32)
            .map(|index| self.nth_conversation(index))
            .collect()
    }

    /// A conversation with probability in proportion to its messages: what a send, or a
    /// look at a history, meets.
    pub fn sample_conversation(&self, random: &mut impl Rng) -> Conversation {
        self.nth_conversation(self.messages_by_conversation().sample(random))
    }

    /// The members of a conversation who may speak in it: those who are not muted.
    pub fn speakers(&self, conversation: &Conversation) -> Vec<Uuid> {
        let members = self.memberships(conversation, &self.recent_messages(conversation));
        let speakers = members.into_iter().filter(|member| !member.muted);
        speakers.map(|member| member.user).collect()
    }

    pub(crate) fn nth_conversation(&self, index: u32) -> Conversation {
        let messages = self.messages_by_conversation().of(index);
        let rung = (index as usize) < self.sizes.ladder.len();
        let mut random = self.stream(Aspect::CONVERSATION_KIND, index.into());
        // The more is said, the more likely it is a group.
        let group = (0.1 + 0.1 * (messages as f64).ln()).min(0.85);
        let (group, strict) = (random.random_bool(group), random.random_bool(0.05));
        let name_words = random.random_range(1..=3);
        let name = self.vocabulary().text(&mut random, name_words);
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
        let members = members(self, index, kind);
        Conversation {
            id: self.ids.id(Kind::Conversation, index.into()),
            messages,
            members: members.into_iter().map(|user| self.user_id(user)).collect(),
            kind,
            privacy,
            name: (kind == ConversationKind::Group).then_some(name),
            created_at: at(self.conversation_life(index).start - HOUR),
            index,
        }
    }

    /// A conversation's rows of `conversation_members`. `recent` are its last messages,
    /// among which the members' reading positions lie.
    pub(crate) fn memberships(
        &self,
        conversation: &Conversation,
        recent: &[Message],
    ) -> Vec<Membership> {
        let mut random = self.stream(Aspect::MEMBERSHIP, conversation.index.into());
        let first = u64::from(conversation.index) << 8;
        let member = |(place, &user): (usize, &Uuid)| {
            let admin = random.random_bool(0.1);
            let read = random.random_bool(0.9);
            let message = &recent[random.random_range(0..recent.len())];
            let seen = message.created_at.timestamp_micros();
            Membership {
                id: self.ids.id(Kind::Member, first + place as u64),
                user,
                role: match (place, conversation.kind) {
                    (0, _) => "owner",
                    (_, ConversationKind::Group) if admin => "admin",
                    _ => "member",
                },
                joined_at: conversation.created_at,
                last_read: read.then(|| (message.id, at(later(seen, 300.0 * SECOND as f64)))),
                muted: random.random_bool(0.05),
                archived: random.random_bool(0.08),
            }
        };
        conversation
            .members
            .iter()
            .enumerate()
            .map(member)
            .collect()
    }

    /// The members of a conversation who have put it away.
    pub fn archived_by(&self, conversation: &Conversation) -> Vec<Uuid> {
        let last = self.conversation_segments(conversation.index).last();
        let recent = last.map_or_else(Vec::new, |last| self.segment_messages(conversation, &last));
        let members = self.memberships(conversation, &recent).into_iter();
        let away = members.filter(|member| member.archived);
        away.map(|member| member.user).collect()
    }

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
