//! What is made together: tables whose rows follow from one another, block by block.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;

use crate::blocks::{Blocks, Segment};
use crate::conversations::Conversation;
use crate::engagement::deliver;
use crate::messages::{Attachment, Message, Reaction};
use crate::pgcopy::Rows;
use crate::post_stage::posts;
use crate::stream::Aspect;
use crate::tables::{self, Table};
use crate::world::World;

/// Messages in a block.
const MESSAGES_IN_BLOCK: u32 = 8_192;
const USERS_IN_BLOCK: u32 = 256;

/// Makes one block: the rows of each table, in the order of the stage's tables.
type Make = Arc<dyn Fn(usize) -> Vec<Rows> + Send + Sync>;

/// Tables that are filled together.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) tables: Vec<Table>,
    pub(crate) blocks: usize,
    pub(crate) make: Make,
}

/// Every stage of a world, in the order they must run: users need the follows counted.
pub(crate) fn stages(world: &World) -> [Stage; 4] {
    let followers: Arc<[AtomicU32]> = (0..world.users()).map(|_| AtomicU32::new(0)).collect();
    [
        follows(world.clone(), Arc::clone(&followers)),
        users(world.clone(), followers),
        conversations(world.clone()),
        posts(world.clone()),
    ]
}

fn user_blocks(world: &World) -> usize {
    world.sizes.users.div_ceil(USERS_IN_BLOCK) as usize
}

fn users_of(world: &World, block: usize) -> std::ops::Range<u32> {
    let first = block as u32 * USERS_IN_BLOCK;
    first..(first + USERS_IN_BLOCK).min(world.sizes.users)
}

fn follows(world: World, followers: Arc<[AtomicU32]>) -> Stage {
    let blocks = user_blocks(&world);
    let make = move |block| {
        let (mut table, mut cdc) = (Rows::default(), Rows::default());
        let all: Vec<_> = users_of(&world, block)
            .flat_map(|user| world.follows_of(user))
            .collect();
        let mut random = world.stream(Aspect::FOLLOW_DELIVERY, block as u64);
        let mut feed = Vec::new();
        for (i, follow) in all.iter().enumerate() {
            let created = follow.created_at.timestamp_micros();
            deliver(&mut feed, i, created, false, &mut random);
            if let Some(removed) = follow.removed_at {
                deliver(&mut feed, i, removed.timestamp_micros(), true, &mut random);
                continue;
            }
            followers[follow.following as usize].fetch_add(1, Ordering::Relaxed);
            table
                .row(4)
                .add(follow.id)
                .add(follow.follower)
                .add(world.user_id(follow.following))
                .add(follow.created_at);
        }
        feed.sort_unstable();
        for change in feed {
            let follow = &all[change.row];
            cdc.binary()
                .id(follow.follower)
                .id(world.user_id(follow.following))
                .seconds(follow.created_at)
                .change(change.version, change.deleted);
        }
        vec![table, cdc]
    };
    Stage {
        tables: vec![tables::FOLLOWS, tables::FOLLOWS_CDC],
        blocks,
        make: Arc::new(make),
    }
}

fn users(world: World, followers: Arc<[AtomicU32]>) -> Stage {
    let blocks = user_blocks(&world);
    let make = move |block| {
        let mut table = Rows::default();
        for index in users_of(&world, block) {
            let user = world.user_row(index);
            table
                .row(10)
                .add(user.id)
                .add(user.username.as_str())
                .add(user.email.as_str())
                .add(user.password_hash.as_str())
                .add(user.email_verified)
                .add(user.is_active)
                .add(followers[index as usize].load(Ordering::Relaxed) as i32)
                .add(user.created_at)
                .add(user.updated_at)
                .maybe(user.deleted_at);
        }
        vec![table]
    };
    Stage {
        tables: vec![tables::USERS],
        blocks,
        make: Arc::new(make),
    }
}

fn conversations(world: World) -> Stage {
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
    let mut sent: Vec<(Uuid, Message)> = Vec::new();
    let mut given: Vec<Reaction> = Vec::new();
    let mut attached: Vec<Attachment> = Vec::new();
    for segment in segments {
        let conversation = Conversation::new(world, segment.entity);
        let made = world.segment_messages(&conversation, segment);
        if segment.last {
            write_conversation(conversations, members, world, &conversation, &made);
        }
        given.extend(world.segment_reactions(&conversation, segment, &made));
        attached.extend(world.segment_attachments(segment, &made));
        sent.extend(made.into_iter().map(|message| (conversation.id, message)));
    }
    sent.sort_unstable_by_key(|(_, m)| (m.created_at, m.id));
    given.sort_unstable_by_key(|r| (r.created_at, r.id));
    attached.sort_unstable_by_key(|a| (a.created_at, a.id));
    for (conversation, m) in &sent {
        write_message(messages, *conversation, m);
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
    for member in conversation.memberships(world, recent) {
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

fn write_message(table: &mut Rows, conversation: Uuid, m: &Message) {
    let encrypted = m.encrypted.as_ref();
    table
        .row(13)
        .add(m.id)
        .add(conversation)
        .add(m.sender)
        .maybe(m.content.as_deref())
        .maybe(encrypted.map(|(content, _)| &content[..]))
        .maybe(encrypted.map(|(_, nonce)| &nonce[..]))
        .add(m.message_type.as_str())
        .add(m.version)
        .add(m.created_at)
        .add(m.updated_at)
        .maybe(m.recalled_at)
        .maybe(m.deleted_at)
        .maybe(m.idempotency_key);
}
