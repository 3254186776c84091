//! Item 1: which pages of history are asked for, and what a right one is.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use verdict_baseline::message_history::{DetailedMessage, MAX_LIMIT, Message, Request};

use crate::difference::{Difference, Held, same};
use crate::hostile;
use crate::ladder;
use crate::oracle::Oracle;
use crate::write::{Page, Shown, Write};

/// Rows up to which a conversation is drawn for the check: its rows have to be generated.
const LARGEST: u64 = 10_000;

/// The limits that are asked for: none, one, a screen, the cap, and what is cut to it.
pub const LIMITS: [i64; 5] = [0, 1, 20, MAX_LIMIT, MAX_LIMIT + 1];

/// A request over every parameter: any conversation (also a tied and an unknown one), member or
/// stranger, every limit, either filter, and any page, the last, an empty and a far one too.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Request {
    let world = oracle.world();
    let conversation = match random.random_range(0..20) {
        0 => oracle.nobody(random),
        1..4 => hostile::tied_conversation(),
        4..9 => {
            let rungs: Vec<_> = ladder::conversations_up_to(world, LARGEST).collect();
            rungs
                .choose(random)
                .map_or_else(hostile::tied_conversation, |rung| rung.id)
        }
        _ => world.sample_conversation(random).id,
    };
    let include_recalled = random.random();
    let limit = *LIMITS.choose(random).unwrap_or(&1);
    let rows = oracle.conversation(conversation);
    let visible = rows
        .as_ref()
        .map_or(0, |rows| rows.visible(include_recalled).len() as i64);
    Request {
        conversation,
        viewer: match rows.as_ref().and_then(|rows| rows.members.choose(random)) {
            Some(member) if random.random_range(0..5) > 0 => *member,
            _ => world.user(random.random_range(0..world.users())),
        },
        limit,
        offset: offset(visible, limit.clamp(1, MAX_LIMIT), random),
        include_recalled,
    }
}

/// Where a page of so many visible rows begins: at the first row, at some page, at any row, at
/// the last page, at the end, far beyond it.
pub(crate) fn offset(visible: i64, limit: i64, random: &mut impl Rng) -> i64 {
    match random.random_range(0..8) {
        0 | 1 => 0,
        2 | 3 => random.random_range(0..=visible / limit) * limit,
        4 => random.random_range(0..=visible),
        5 => (visible - limit).max(0),
        6 => visible,
        _ => visible + random.random_range(1..1_000_000),
    }
}

/// A write that another page is right after.
pub fn write_between(oracle: &Oracle, request: &Request, random: &mut impl Rng) -> Option<Write> {
    let page = Page {
        offset: request.offset,
        limit: request.limit.min(MAX_LIMIT),
        moves: true,
        after: None,
    };
    let shown = Shown {
        recalled: request.include_recalled,
        details: true,
    };
    match oracle.conversation(request.conversation) {
        Some(rows) => Write::on_page(&rows, shown, page, random),
        None => Write::conversation(request.conversation, oracle.world(), page, random),
    }
}

/// Whether a page is right: whole rows, in order, each with its number, its reactions as the
/// viewer sees them and its attachments.
///
/// # Errors
/// The first row that is wrong.
pub fn hold(oracle: &Oracle, request: &Request, page: &[DetailedMessage]) -> Held {
    let Some(rows) = oracle.conversation(request.conversation) else {
        return same("rows of an unknown conversation", &0, &page.len());
    };
    hold_order(oracle, request, page.iter().map(|message| &message.message))?;
    for (place, answered) in (request.offset + 1..).zip(page) {
        let mut answered = answered.clone();
        answered.reactions.sort();
        answered.attachments.sort();
        let due = rows.seen(answered.message.id, request.viewer, place);
        same("message", &due, &Some(answered))
            .map_err(|difference| difference.at(format!("row {place}")))?;
    }
    Ok(())
}

/// Whether a page of bare messages is right.
///
/// # Errors
/// The first row that is wrong.
pub fn hold_messages(oracle: &Oracle, request: &Request, page: &[Message]) -> Held {
    let Some(rows) = oracle.conversation(request.conversation) else {
        return same("rows of an unknown conversation", &0, &page.len());
    };
    hold_order(oracle, request, page.iter())?;
    for (place, answered) in (request.offset + 1..).zip(page) {
        let due = rows
            .seen(answered.id, request.viewer, place)
            .map(|seen| seen.message);
        same("message", &due.as_ref(), &Some(answered))
            .map_err(|difference: Difference| difference.at(format!("row {place}")))?;
    }
    Ok(())
}

fn hold_order<'a>(
    oracle: &Oracle,
    request: &Request,
    page: impl ExactSizeIterator<Item = &'a Message>,
) -> Held {
    let Some(rows) = oracle.conversation(request.conversation) else {
        return Ok(());
    };
    rows.visible(request.include_recalled).hold(
        request.offset,
        request.limit.min(MAX_LIMIT),
        page.map(|message| (message.created_at, message.id)),
    )
}
