//! Item 9: which conversations and lists are asked for, and what a right answer is.

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::conversation_fetch::{Details, LISTED, Listed};
use verdict_seed::Conversation;

use crate::difference::{Difference, Held, same};
use crate::ending::Ending;
use crate::hostile;
use crate::ladder;
use crate::oracle::Oracle;
use crate::timeline::Timeline;
use crate::write::{Page, Write};

/// Messages up to which a conversation of the ladder is drawn for the check.
const LARGEST: u64 = 10_000;

/// As fine as PostgreSQL tells times apart.
const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// The page that a conversation which comes to be is filled for.
const PAGE: Page = Page {
    offset: 0,
    limit: 1,
    moves: false,
    after: None,
};

/// Any conversation, also a tied and an unknown one.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Uuid {
    let world = oracle.world();
    match random.random_range(0..20) {
        0 => oracle.nobody(random),
        1..4 => hostile::tied_conversation(),
        4..9 => {
            let rungs: Vec<_> = ladder::conversations_up_to(world, LARGEST).collect();
            rungs
                .choose(random)
                .map_or_else(hostile::tied_conversation, |rung| rung.id)
        }
        _ => world.sample_conversation(random).id,
    }
}

/// Anybody: a member of any conversation, of the tied one, one with a long list, a user who may be
/// in none, and nobody.
pub fn draw_user(oracle: &Oracle, random: &mut impl Rng) -> Uuid {
    let world = oracle.world();
    match random.random_range(0..20) {
        0 => oracle.nobody(random),
        1 | 2 => world.user(random.random_range(0..3)),
        3 | 4 => {
            let rungs = world.ladder_conversations();
            let rung = rungs.choose(random).and_then(|rung| busiest(oracle, rung));
            rung.unwrap_or_else(|| member(oracle, random))
        }
        5..8 => world.user(random.random_range(0..world.users())),
        _ => member(oracle, random),
    }
}

/// The member of a conversation who is in the most.
pub fn busiest(oracle: &Oracle, conversation: &Conversation) -> Option<Uuid> {
    let members = conversation.members.iter().copied();
    members.max_by_key(|user| (oracle.conversations_of(*user).len(), *user))
}

fn member(oracle: &Oracle, random: &mut impl Rng) -> Uuid {
    let conversation = oracle.world().sample_conversation(random);
    *conversation.members.choose(random).unwrap_or(&Uuid::nil())
}

/// A write after which a conversation is another one; or a message deleted, which is none.
pub fn write_between(oracle: &Oracle, id: Uuid, random: &mut impl Rng) -> Option<Write> {
    let Some(ending) = oracle.ending(id) else {
        return Write::conversation(id, oracle.world(), PAGE, random);
    };
    match random.random_range(0..4) {
        0 => joined(oracle, id, random),
        1 => Write::deleted(&*oracle.conversation(id)?, *ending.last.choose(random)?),
        _ => said(oracle, id, &ending, random),
    }
}

/// A write after which a user's list is another one.
pub fn write_in_list(oracle: &Oracle, user: Uuid, random: &mut impl Rng) -> Option<Write> {
    let conversations = oracle.conversations_of(user);
    let is_known = oracle.author(user).is_some();
    match conversations.choose(random) {
        Some(id) if random.random_range(0..4) > 0 => {
            said(oracle, *id, &*oracle.ending(*id)?, random)
        }
        _ if is_known => {
            let id = oracle.world().sample_conversation(random).id;
            (!conversations.contains(&id)).then(|| Write::joined(id, user))
        }
        _ => None,
    }
}

/// Somebody joins who is no member.
fn joined(oracle: &Oracle, id: Uuid, random: &mut impl Rng) -> Option<Write> {
    let world = oracle.world();
    let user = world.user(random.random_range(0..world.users()));
    let is_member = oracle.conversations_of(user).contains(&id);
    (!is_member).then(|| Write::joined(id, user))
}

/// A message that is the newest, that is of the newest one's instant, or that comes late.
fn said(oracle: &Oracle, id: Uuid, ending: &Ending, random: &mut impl Rng) -> Option<Write> {
    let newest = ending.newest?;
    let time = match random.random_range(0..4) {
        0 => newest,
        1 => newest - TimeDelta::seconds(random.random_range(1..100_000)),
        _ => newest + INSTANT,
    };
    let sender = oracle.world().user(0);
    Some(Write::said(id, sender, time, random))
}

/// Whether a conversation is right.
///
/// # Errors
/// What is wrong with it.
pub fn hold(oracle: &Oracle, id: Uuid, answer: &Details) -> Held {
    same("id", &id, &answer.id)?;
    match oracle.ending(id) {
        Some(ending) => hold_details(&ending, answer),
        None => {
            same("members", &0, &answer.member_count)?;
            same("last message", &None, &answer.last_message_id)
        }
    }
}

/// Whether the members and the last message of a conversation are right: of several of the last
/// instant, any, as today leaves them in no order.
///
/// # Errors
/// What is wrong with them.
pub fn hold_details(ending: &Ending, answer: &Details) -> Held {
    same("members", &ending.members, &answer.member_count)?;
    match answer.last_message_id {
        None if ending.last.is_empty() => Ok(()),
        Some(id) if ending.last.contains(&id) => Ok(()),
        other => Err(Difference(format!(
            "last message: due is one of {:?}, answered was {other:?}",
            ending.last
        ))),
    }
}

/// Whether a user's list is right: the conversations, in order, each right by itself.
///
/// # Errors
/// The first row that is wrong.
pub fn hold_list(oracle: &Oracle, user: Uuid, answer: &[Listed]) -> Held {
    let keys = oracle.conversations_of(user).into_iter().filter_map(|id| {
        let updated_at: DateTime<Utc> = oracle.ending(id)?.updated_at?;
        Some((updated_at, id))
    });
    let due = Timeline::newest_first(keys);
    let answered = answer.iter().map(|row| (row.updated_at, row.details.id));
    due.hold(0, LISTED as i64, answered)?;
    for (place, row) in (1..).zip(answer) {
        hold(oracle, row.details.id, &row.details)
            .map_err(|difference: Difference| difference.at(format!("row {place}")))?;
    }
    Ok(())
}
