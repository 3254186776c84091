//! Item 8: what is searched for, and what has to be found.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::Refused;
use verdict_baseline::message_search::{Found, MAX_LIMIT, Message, Request, Sort};
use verdict_seed::MARKERS;

use crate::conversation::{ConversationRows, Row};
use crate::difference::{Difference, Held, same};
use crate::hostile;
use crate::ladder;
use crate::message_history;
use crate::oracle::Oracle;
use crate::turn::Turn;
use crate::write::{Kind, Page, Rows, Write};

mod rank;
mod words;

pub use words::Query;

/// A word that one message in a thousand holds, and one that one in ten holds.
pub const RARE: &str = MARKERS[1].0;
/// See [`RARE`].
pub const COMMON: &str = MARKERS[0].0;

/// An answer.
pub type Answer = Result<Found, Refused>;

/// Rows up to which a conversation is drawn for the check: its rows have to be generated.
const LARGEST: u64 = 10_000;

/// The limits that are asked for: none, one, a screen, today's default, the cap, and more.
const LIMITS: [i64; 6] = [0, 1, 20, 50, MAX_LIMIT, MAX_LIMIT + 1];

/// The orders.
const SORTS: [Sort; 3] = [Sort::Recent, Sort::Oldest, Sort::Relevance];

/// Texts whose quotes and operators mean nothing, stop words, blank and absent ones.
const TEXTS: [&str; 14] = [
    "\"lantern\"",
    "lantern & !meridian",
    "'museum' | 'guitar'",
    "lantern:* <-> ((",
    "LANTERNS",
    "meets",
    "runs",
    "the lantern of the kitchen",
    "the and of",
    "",
    " \t\n ",
    "; % 42 \\",
    words::CHINESE,
    "消息 lantern",
];

/// A search over every parameter: any conversation (hostile, encrypted and unknown ones too), any
/// kind of text, every order and limit, and any page, the last, an empty and a far one too.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Request {
    let world = oracle.world();
    let conversation = match random.random_range(0..20) {
        0 => oracle.nobody(random),
        1..6 => hostile::searched_conversation(),
        6..8 => hostile::encrypted_conversation(),
        8..13 => {
            let rungs: Vec<_> = ladder::conversations_up_to(world, LARGEST).collect();
            rungs
                .choose(random)
                .map_or_else(hostile::searched_conversation, |rung| rung.id)
        }
        _ => world.sample_conversation(random).id,
    };
    let mut request = Request {
        conversation,
        text: text(random),
        sort: *SORTS.choose(random).unwrap_or(&Sort::Recent),
        limit: *LIMITS.choose(random).unwrap_or(&1),
        offset: 0,
    };
    let total = due(oracle, &request).map_or(0, |due| due.len() as i64);
    let limit = request.limit.clamp(1, MAX_LIMIT);
    request.offset = message_history::offset(total, limit, random);
    request
}

fn text(random: &mut impl Rng) -> String {
    let text = match random.random_range(0..10) {
        0..2 => COMMON,
        2 => RARE,
        3 => words::ABSENT.choose(random).copied().unwrap_or(RARE),
        4 => return format!("{} {}", form(random), form(random)),
        5 => return format!("{COMMON} {}", form(random)),
        6 => form(random),
        _ => TEXTS.choose(random).copied().unwrap_or(COMMON),
    };
    text.to_owned()
}

/// A form of a word that the world holds.
fn form(random: &mut impl Rng) -> &'static str {
    let forms = words::TERMS.choose(random);
    let form = forms.and_then(|(_, forms)| forms.choose(random));
    form.copied().unwrap_or(COMMON)
}

/// A message that has to be found.
#[derive(Debug, Clone, Copy)]
struct Match<'a> {
    row: &'a Row,
    rank: f32,
}

/// What the order looks at; rows that are alike in it may change places.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    rank: f32,
    created_at: DateTime<Utc>,
}

impl Match<'_> {
    fn place(&self, sort: Sort) -> Place {
        let by_rank = sort == Sort::Relevance;
        Place {
            rank: if by_rank { self.rank } else { 0.0 },
            created_at: self.row.message.created_at,
        }
    }
}

/// The ids and places of what has to be found, in order.
fn due(oracle: &Oracle, request: &Request) -> Result<Vec<(Uuid, Place)>, Refused> {
    // Today looks at the words first.
    if request.text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let rows = oracle.conversation(request.conversation);
    let rows = rows.ok_or(Refused::UnknownConversation)?;
    if rows.strict {
        return Ok(Vec::new());
    }
    let query = Query::of(&request.text);
    let mut due: Vec<(Uuid, Place)> = rows
        .rows()
        .filter_map(|row| matching(row, &query))
        .map(|found| (found.row.message.id, found.place(request.sort)))
        .collect();
    // The oracle's rows have no order, and what is drawn has to be the same in every run.
    due.sort_unstable_by_key(|(id, _)| *id);
    match request.sort {
        Sort::Oldest => due.sort_by_key(|(_, place)| place.created_at),
        Sort::Recent => due.sort_by_key(|(_, place)| Reverse(place.created_at)),
        Sort::Relevance => due.sort_by(|(_, one), (_, other)| {
            let by_rank = other.rank.total_cmp(&one.rank);
            by_rank.then(other.created_at.cmp(&one.created_at))
        }),
    }
    Ok(due)
}

fn matching<'a>(row: &'a Row, query: &Query) -> Option<Match<'a>> {
    if row.deleted_at.is_some() {
        return None;
    }
    let places = query.places(row.message.content.as_deref()?)?;
    let rank = rank::rank(&places);
    Some(Match { row, rank })
}

/// The messages that have to be found, on all pages, in order.
///
/// # Errors
/// The refusal that is due instead.
pub fn found(oracle: &Oracle, request: &Request) -> Result<Vec<Uuid>, Refused> {
    Ok(due(oracle, request)?
        .into_iter()
        .map(|(id, _)| id)
        .collect())
}

/// Whether an answer is right: the number of all, whole rows, in order, none twice.
///
/// # Errors
/// The first thing that is wrong.
pub fn hold(oracle: &Oracle, request: &Request, answer: &Answer) -> Held {
    let due = match (due(oracle, request), answer) {
        (Ok(due), Ok(_)) => due,
        (due, answer) => return same("refusal", &due.err(), &answer.as_ref().err().copied()),
    };
    let Ok(found) = answer else { return Ok(()) };
    same("total", &(due.len() as i64), &found.total)?;
    let start = (request.offset.max(0) as usize).min(due.len());
    let limit = request.limit.clamp(0, MAX_LIMIT) as usize;
    let page = &due[start..(start + limit).min(due.len())];
    same("rows", &page.len(), &found.messages.len())?;
    let Some(rows) = oracle.conversation(request.conversation) else {
        return Ok(());
    };
    let mut left: HashMap<Uuid, Place> = due.iter().copied().collect();
    for (number, (answered, (_, place))) in (start + 1..).zip(found.messages.iter().zip(page)) {
        let held = match left.remove(&answered.id) {
            None => Err(Difference(format!(
                "{} is no match, or stands in the page twice",
                answered.id
            ))),
            Some(of) => same("place", place, &of),
        };
        let whole = || {
            same(
                "message",
                &rows.row(answered.id).and_then(seen),
                &Some(answered.clone()),
            )
        };
        held.and_then(|()| whole())
            .map_err(|difference| difference.at(format!("row {number}")))?;
    }
    Ok(())
}

fn seen(row: &Arc<Row>) -> Option<Message> {
    let message = &row.message;
    Some(Message {
        id: message.id,
        sender_id: message.sender_id,
        created_at: message.created_at,
        recalled_at: message.recalled_at,
        updated_at: message.updated_at,
        version_number: message.version_number,
        content: message.content.clone()?,
        message_type: message.message_type.clone(),
    })
}

/// A write after which another answer is right: of a message that is found, or is found then.
pub fn write_between(oracle: &Oracle, request: &Request, random: &mut impl Rng) -> Option<Write> {
    if request.text.trim().is_empty() {
        return None;
    }
    let Some(rows) = oracle.conversation(request.conversation) else {
        let page = Page {
            offset: 0,
            limit: 1,
            moves: true,
            after: None,
        };
        return Write::conversation(request.conversation, oracle.world(), page, random);
    };
    let query = Query::of(&request.text);
    if rows.strict || query.is_empty() {
        return None;
    }
    let page = page(oracle, request);
    let mut kinds = [Kind::Sent, Kind::Edited, Kind::Recalled, Kind::Deleted];
    kinds.shuffle(random);
    let mut kinds = kinds.into_iter();
    kinds.find_map(|kind| {
        let turn = match kind {
            Kind::Sent => Turn::into(Arc::new(sent(&rows, &request.text, random)?)),
            Kind::Recalled => altered(&rows, &page, kind, random)?,
            // Those that are not on the page are counted, too.
            _ => {
                let all: Vec<Uuid> = due(oracle, request).ok()?.iter().map(|of| of.0).collect();
                altered(&rows, &all, kind, random)?
            }
        };
        Some(message(&rows, kind, turn))
    })
}

fn page(oracle: &Oracle, request: &Request) -> Vec<Uuid> {
    let due = due(oracle, request).unwrap_or_default().into_iter();
    let page = due.skip(request.offset.max(0) as usize);
    let limit = request.limit.clamp(0, MAX_LIMIT) as usize;
    page.take(limit).map(|(id, _)| id).collect()
}

fn message(rows: &ConversationRows, kind: Kind, turn: Turn<Arc<Row>>) -> Write {
    Write {
        kind,
        rows: Rows::Message {
            conversation: rows.id,
            turn,
        },
    }
}

/// A message of this text, sent at any time.
pub fn sent(rows: &ConversationRows, text: &str, random: &mut impl Rng) -> Option<Row> {
    let (beside, _) = rows.visible(true).rows().choose(random)?;
    let created_at = *beside + TimeDelta::microseconds(1);
    Some(Row::new(
        Uuid::from_u128(random.random()),
        *rows.members.choose(random)?,
        created_at,
        text.to_owned(),
    ))
}

/// A write that sends a message.
pub fn sending(rows: &ConversationRows, row: Row) -> Write {
    message(rows, Kind::Sent, Turn::into(Arc::new(row)))
}

/// One of these messages, after something was done to it.
fn altered(
    rows: &ConversationRows,
    among: &[Uuid],
    kind: Kind,
    random: &mut impl Rng,
) -> Option<Turn<Arc<Row>>> {
    let mut among = among.to_vec();
    among.shuffle(random);
    among.into_iter().find_map(|id| {
        let before = rows.row(id)?;
        let after = before.altered(kind, &rows.members, random)?;
        Some(Turn::of(Arc::clone(before), Arc::new(after)))
    })
}
