//! Conversations with their members and messages, and what hangs on these.

use std::sync::Arc;

use crate::blocks::{Blocks, Segment};
use crate::pgcopy::Rows;
use crate::rows::{Attachment, Conversation, Message, Reaction};
use crate::stage::Stage;
use crate::tables;
use crate::world::World;

/// Messages in a block.
const MESSAGES_IN_BLOCK: u32 = 8_192;

pub(crate) fn conversations(world: World) -> Stage {
    let segments = (0..world.conversations() as u32).flat_map(|i| world.conversation_segments(i));
    let blocks = Blocks::new(segments.collect(), MESSAGES_IN_BLOCK);
    Stage {
        tables: vec![
            tables::CONVERSATIONS,
            tables::MEMBERS,
            tables::MESSAGES,
            tables::REACTIONS,
            tables::ATTACHMENTS,
        ],
        blocks: blocks.len(),
        make: Arc::new(move |block| conversation_block(&world, blocks.block(block))),
    }
}

fn conversation_block(world: &World, segments: &[Segment]) -> Vec<Rows> {
    let mut tables: [Rows; 5] = Default::default();
    let [conversations, members, messages, reactions, attachments] = &mut tables;
    let mut sent: Vec<Message> = Vec::new();
    let mut given: Vec<Reaction> = Vec::new();
    let mut attached: Vec<Attachment> = Vec::new();
    for segment in segments {
        let conversation = world.nth_conversation(segment.entity);
        let made = world.segment_messages(&conversation, segment);
        if segment.last {
            write_conversation(conversations, members, world, &conversation, &made);
        }
        given.extend(world.segment_reactions(&conversation, segment, &made));
        attached.extend(world.segment_attachments(segment, &made));
        sent.extend(made);
    }
    sent.sort_unstable_by_key(|m| (m.created_at, m.id));
    given.sort_unstable_by_key(|r| (r.created_at, r.id));
    attached.sort_unstable_by_key(|a| (a.created_at, a.id));
    for message in &sent {
        write_message(messages, message);
    }
    for reaction in &given {
        reactions
            .row(5)
            .add(reaction.id)
            .add(reaction.message)
            .add(reaction.user)
            .add(reaction.emoji)
            .add(reaction.created_at);
    }
    for attachment in &attached {
        attachments
            .row(7)
            .add(attachment.id)
            .add(attachment.message)
            .add(attachment.file_name.as_str())
            .add(attachment.file_type)
            .add(attachment.file_size)
            .add(attachment.s3_key.as_str())
            .add(attachment.created_at);
    }
    tables.into()
}

/// `recent` ends with the conversation's newest message.
fn write_conversation(
    conversations: &mut Rows,
    members: &mut Rows,
    world: &World,
    conversation: &Conversation,
    recent: &[Message],
) {
    conversations
        .row(7)
        .add(conversation.id)
        .add(conversation.kind.as_str())
        .maybe(conversation.name.as_deref())
        .add(conversation.members[0])
        .add(conversation.privacy.as_str())
        .add(conversation.created_at)
        .add(recent[recent.len() - 1].created_at);
    for member in world.memberships(conversation, recent) {
        members
            .row(10)
            .add(member.id)
            .add(conversation.id)
            .add(member.user)
            .add(member.role)
            .add(member.joined_at)
            .maybe(member.last_read.map(|(message, _)| message))
            .maybe(member.last_read.map(|(_, time)| time))
            .add(member.muted)
            .add(member.archived)
            .add(member.joined_at);
    }
}

fn write_message(table: &mut Rows, m: &Message) {
    let encrypted = m.encrypted.as_ref();
    table
        .row(14)
        .add(m.id)
        .add(m.conversation)
        .add(m.sender)
        .maybe(m.content.as_deref())
        .maybe(encrypted.map(|(content, _)| &content[..]))
        .maybe(encrypted.map(|(_, nonce)| &nonce[..]))
        .add(m.message_type.as_str())
        .add(m.version)
        .add(m.created_at)
        .add(m.updated_at)
        .maybe((m.version > 1).then_some(m.updated_at))
        .maybe(m.recalled_at)
        .maybe(m.deleted_at)
        .maybe(m.idempotency_key);
}
