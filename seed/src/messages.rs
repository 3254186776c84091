//! Messages with their reactions and attachments.

use fake::Fake;
use fake::faker::lorem::en::Word;
use rand::{Rng, RngExt};
use uuid::Uuid;

use crate::blocks::Segment;
use crate::distribution::{exponential, pareto};
use crate::ids::Kind;
use crate::rhythm::{Bursts, HOUR, SECOND, at, instants, later};
use crate::rows::{Attachment, Conversation, Message, MessageType, PrivacyMode, Reaction};
use crate::stream::Aspect;
use crate::world::World;

const BURSTS: Bursts = Bursts {
    length: 8.0,
    pause: 25.0 * SECOND as f64,
};

/// Most used first.
const EMOJI: [&str; 10] = ["👍", "❤️", "😂", "😮", "🎉", "😢", "🔥", "👏", "🙏", "💯"];

impl World {
    /// Every message of a conversation, deleted and recalled ones included, in order of
    /// time (those of one instant in no particular order).
    pub fn messages(&self, conversation: &Conversation) -> Vec<Message> {
        self.conversation_segments(conversation.index)
            .flat_map(|segment| self.segment_messages(conversation, &segment))
            .collect()
    }

    /// The messages of a conversation's last instant, deleted and recalled ones included: what
    /// [`messages`](Self::messages) ends with, for next to nothing.
    pub fn last_messages(&self, conversation: &Conversation) -> Vec<Message> {
        let mut messages = self.recent_messages(conversation);
        let newest = messages.iter().map(|message| message.created_at).max();
        messages.retain(|message| Some(message.created_at) == newest);
        messages
    }

    /// Every reaction in a conversation, by message in the order of [`messages`](Self::messages).
    pub fn reactions(&self, conversation: &Conversation) -> Vec<Reaction> {
        self.conversation_segments(conversation.index)
            .flat_map(|segment| {
                let messages = self.segment_messages(conversation, &segment);
                self.segment_reactions(conversation, &segment, &messages)
            })
            .collect()
    }

    /// Every attachment in a conversation, by message in the order of [`messages`](Self::messages).
    pub fn attachments(&self, conversation: &Conversation) -> Vec<Attachment> {
        self.conversation_segments(conversation.index)
            .flat_map(|segment| {
                let messages = self.segment_messages(conversation, &segment);
                self.segment_attachments(&segment, &messages)
            })
            .collect()
    }

    /// The messages of a conversation's last segment, among which its members' reading positions
    /// lie.
    pub(crate) fn recent_messages(&self, conversation: &Conversation) -> Vec<Message> {
        let last = self.conversation_segments(conversation.index).last();
        last.map_or_else(Vec::new, |last| self.segment_messages(conversation, &last))
    }

    pub(crate) fn segment_messages(
        &self,
        conversation: &Conversation,
        segment: &Segment,
    ) -> Vec<Message> {
        let stream = |aspect| self.stream(aspect, segment.first);
        let mut senders = stream(Aspect::MESSAGE_SENDERS);
        let mut kinds = stream(Aspect::MESSAGE_KINDS);
        let mut text = stream(Aspect::MESSAGE_TEXT);
        let mut fate = stream(Aspect::MESSAGE_FATE);
        let mut times = stream(Aspect::MESSAGE_TIMES);
        let len = segment.len as usize;
        let times = instants(&mut times, len, segment.from, segment.to, BURSTS);
        let message = |(i, time)| {
            let number = segment.first + i as u64;
            let message_type = match kinds.random_range(0..1_000) {
                0..12 => MessageType::System,
                12..72 => MessageType::Image,
                72..92 => MessageType::Audio,
                _ => MessageType::Text,
            };
            let wordless = match message_type {
                MessageType::Text | MessageType::System => false,
                MessageType::Image => kinds.random_bool(0.7),
                MessageType::Audio => true,
            };
            let words = match message_type {
                MessageType::System => "joined the conversation".to_owned(),
                _ if wordless => String::new(),
                _ => self.vocabulary().message(&mut text),
            };
            let (content, encrypted) = match conversation.privacy {
                PrivacyMode::SearchEnabled => ((!wordless).then_some(words), None),
                PrivacyMode::StrictE2e => (None, Some(encrypt(&words, &mut text))),
            };
            let changed = later(time, SECOND as f64 + exponential(&mut fate, HOUR as f64));
            let draw = fate.random_range(0..1_000);
            let (deleted, recalled) = (draw < 25, (25..45).contains(&draw));
            let edited = (45..85).contains(&draw) && message_type == MessageType::Text;
            Message {
                id: self.ids.id(Kind::Message, number),
                conversation: conversation.id,
                sender: sender(&conversation.members, &mut senders),
                content,
                encrypted,
                message_type,
                version: if edited {
                    pareto(&mut fate, 2.0) as i32 + 1
                } else {
                    1
                },
                created_at: at(time),
                updated_at: at(if recalled || edited { changed } else { time }),
                recalled_at: recalled.then(|| at(changed)),
                deleted_at: deleted.then(|| at(changed)),
                idempotency_key: fate
                    .random_bool(0.85)
                    .then(|| self.ids.id(Kind::Idempotency, number)),
                number,
            }
        };
        times.into_iter().enumerate().map(message).collect()
    }

    pub(crate) fn segment_reactions(
        &self,
        conversation: &Conversation,
        segment: &Segment,
        messages: &[Message],
    ) -> Vec<Reaction> {
        let mut random = self.stream(Aspect::REACTIONS, segment.first);
        let mut reactions = Vec::new();
        for message in messages {
            // One message in eight has any; few have many, and only where many read.
            if message.message_type == MessageType::System || !random.random_bool(0.12) {
                continue;
            }
            let most = (conversation.members.len() * 2).min(200);
            let wanted = (pareto(&mut random, 1.4) as usize).min(most);
            let first = reactions.len();
            for _ in 0..wanted {
                let users = &conversation.members;
                let user = users[random.random_range(0..users.len())];
                let place = random.random::<f64>().powi(2) * EMOJI.len() as f64;
                let emoji = EMOJI[place as usize];
                let delay = exponential(&mut random, 2.0 * HOUR as f64);
                let given: &[Reaction] = &reactions[first..];
                if given.iter().any(|r| r.user == user && r.emoji == emoji) {
                    continue;
                }
                let number = (message.number << 8) + given.len() as u64;
                reactions.push(Reaction {
                    id: self.ids.id(Kind::Reaction, number),
                    message: message.id,
                    user,
                    emoji,
                    created_at: at(later(message.created_at.timestamp_micros(), delay)),
                });
            }
        }
        reactions
    }

    pub(crate) fn segment_attachments(
        &self,
        segment: &Segment,
        messages: &[Message],
    ) -> Vec<Attachment> {
        let mut random = self.stream(Aspect::ATTACHMENTS, segment.first);
        let mut attachments = Vec::new();
        for message in messages {
            let (count, file_type, extension) = match message.message_type {
                MessageType::System => continue,
                MessageType::Image => (random.random_range(1..=3), "image/jpeg", "jpg"),
                MessageType::Audio => (1, "audio/mp4", "m4a"),
                MessageType::Text if random.random_bool(0.02) => (1, "application/pdf", "pdf"),
                MessageType::Text => continue,
            };
            for k in 0..count {
                let id = self.ids.id(Kind::Attachment, (message.number << 2) + k);
                let word: &str = Word().fake_with_rng(&mut random);
                let size = 20_000.0 * pareto(&mut random, 0.9);
                attachments.push(Attachment {
                    id,
                    message: message.id,
                    file_name: format!("{word}_{}.{extension}", random.random_range(1..10_000)),
                    file_type,
                    file_size: size.min(25_000_000.0) as i32,
                    s3_key: format!("attachments/{id}.{extension}"),
                    created_at: message.created_at,
                });
            }
        }
        attachments
    }
}

/// Members speak unevenly, the first ones most.
fn sender(members: &[Uuid], random: &mut impl Rng) -> Uuid {
    let place = random.random::<f64>().powf(1.7) * members.len() as f64;
    members[place as usize]
}

/// Noise as long as the words and an authentication tag.
fn encrypt(words: &str, random: &mut impl Rng) -> (Vec<u8>, [u8; 24]) {
    let mut sealed = vec![0; words.len() + 16];
    random.fill(&mut sealed[..]);
    (sealed, random.random())
}
