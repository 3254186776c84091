//! Item 7: which pages are asked for, and what a right one is.

use std::sync::Arc;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::message_history::{self as contract, MAX_LIMIT, Message};
use verdict_baseline::pagination::Post;
use verdict_seed::Author;

use crate::difference::{Held, same};
use crate::hostile;
use crate::ladder;
use crate::message_history;
use crate::oracle::Oracle;
use crate::timeline::{Key, Timeline};
use crate::write::{Page, Shown, Write};

/// Posts up to which an author is drawn for the check: the rows have to be generated.
const LARGEST: u64 = 10_000;

/// A page, told both ways: by the rows before it, and by the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Whose rows: an author, or a conversation.
    pub of: Uuid,
    /// Rows at most.
    pub limit: i64,
    /// Rows before the page.
    pub offset: i64,
    /// The last of them; none for the first page.
    pub after: Option<Key>,
    /// Whether recalled messages are shown; posts know none.
    pub include_recalled: bool,
}

impl PageRequest {
    /// The request as today takes it, by a viewer of no account: messages are bare here.
    pub fn by_offset(&self) -> contract::Request {
        contract::Request {
            conversation: self.of,
            viewer: Uuid::nil(),
            limit: self.limit,
            offset: self.offset,
            include_recalled: self.include_recalled,
        }
    }
}

/// The page of an author's posts that ends at row `depth`, or the last one.
pub fn posts_page(oracle: &Oracle, author: &Author, limit: i64, depth: u64) -> PageRequest {
    let rows = oracle.author(author.id);
    let visible = rows.as_ref().map_or(0, |rows| rows.visible().len());
    let offset = (depth as usize).min(visible).saturating_sub(limit as usize);
    PageRequest {
        of: author.id,
        limit,
        offset: offset as i64,
        after: rows.and_then(|rows| rows.visible().before(offset)),
        include_recalled: true,
    }
}

/// The page of a conversation's messages that ends at row `depth`, or the last one.
pub fn messages_page(oracle: &Oracle, conversation: Uuid, limit: i64, depth: u64) -> PageRequest {
    let rows = oracle.conversation(conversation);
    let visible = rows.as_ref().map_or(0, |rows| rows.visible(true).len());
    let offset = (depth as usize).min(visible).saturating_sub(limit as usize);
    PageRequest {
        of: conversation,
        limit,
        offset: offset as i64,
        after: rows.and_then(|rows| rows.visible(true).before(offset)),
        include_recalled: true,
    }
}

/// A page of posts over every parameter: any author (also a tied and an unknown one), every
/// limit, any page, the last, an empty and a far one too.
pub fn draw_posts(oracle: &Oracle, random: &mut impl Rng) -> PageRequest {
    let world = oracle.world();
    let author = match random.random_range(0..20) {
        0 => oracle.nobody(random),
        1..4 => hostile::tied_author(),
        4..9 => {
            let rungs: Vec<_> = ladder::authors_up_to(world, LARGEST).collect();
            rungs
                .choose(random)
                .map_or_else(hostile::tied_author, |rung| rung.id)
        }
        _ => world.sample_author(random).id,
    };
    // Today's posts have no cap.
    let limit = *message_history::LIMITS.choose(random).unwrap_or(&1);
    let rows = oracle.author(author);
    let (offset, after) = rows.map_or((0, None), |rows| {
        let hidden = rows.rows().filter(|post| post.soft_delete.is_some());
        let hidden = hidden.map(|post| (post.created_at, post.id));
        placed(rows.visible(), hidden, limit, random)
    });
    PageRequest {
        of: author,
        limit,
        offset,
        after,
        include_recalled: true,
    }
}

/// How many rows are before a page, and where a cursor to it stands: on the last of them or, now
/// and then, on a row that was shown when the cursor was given and is hidden since.
fn placed(
    visible: &Timeline,
    hidden: impl Iterator<Item = Key>,
    limit: i64,
    random: &mut impl Rng,
) -> (i64, Option<Key>) {
    let mut hidden: Vec<Key> = hidden.collect();
    hidden.sort_unstable();
    if let Some(gone) = hidden.choose(random)
        && random.random_range(0..4) == 0
    {
        return (visible.place(*gone) as i64, Some(*gone));
    }
    let rows = visible.len() as i64;
    // A cursor can stand at the end at most.
    let offset = message_history::offset(rows, limit.clamp(1, MAX_LIMIT), random).min(rows);
    (offset, visible.before(offset as usize))
}

/// A page of bare messages over every parameter.
pub fn draw_messages(oracle: &Oracle, random: &mut impl Rng) -> PageRequest {
    let drawn = message_history::draw(oracle, random);
    let limit = drawn.limit;
    let rows = oracle.conversation(drawn.conversation);
    let (offset, after) = rows.map_or((0, None), |rows| {
        let shown = drawn.include_recalled;
        let hidden = rows.rows().filter(|row| !row.is_visible(shown));
        let hidden = hidden.map(|row| (row.message.created_at, row.message.id));
        placed(rows.visible(shown), hidden, limit, random)
    });
    PageRequest {
        of: drawn.conversation,
        limit,
        offset,
        after,
        include_recalled: drawn.include_recalled,
    }
}

/// A write that another page of posts is right after.
pub fn post_between(
    oracle: &Oracle,
    request: &PageRequest,
    random: &mut impl Rng,
) -> Option<Write> {
    let page = page(request, request.limit);
    match oracle.author(request.of) {
        Some(rows) => Write::on_page_of(&rows, page, random),
        None => Write::author(request.of, oracle.world(), page, random),
    }
}

/// A write that another page of messages is right after.
pub fn message_between(
    oracle: &Oracle,
    request: &PageRequest,
    random: &mut impl Rng,
) -> Option<Write> {
    let page = page(request, request.limit.min(MAX_LIMIT));
    let shown = Shown {
        recalled: request.include_recalled,
        details: false,
    };
    match oracle.conversation(request.of) {
        Some(rows) => Write::on_page(&rows, shown, page, random),
        None => Write::conversation(request.of, oracle.world(), page, random),
    }
}

/// A page that both forms of a request are told of: a write before it would move the one that
/// is cut by offset, and not the one that is cut by cursor.
fn page(request: &PageRequest, limit: i64) -> Page {
    Page {
        offset: request.offset,
        limit,
        moves: false,
        after: request.after,
    }
}

/// Whether a page of posts is right: whole rows, in order.
///
/// # Errors
/// The first row that is wrong.
pub fn hold_posts(oracle: &Oracle, request: &PageRequest, page: &[Post]) -> Held {
    let Some(rows) = oracle.author(request.of) else {
        return same("rows of an unknown author", &0, &page.len());
    };
    rows.visible().hold(
        request.offset,
        request.limit,
        page.iter().map(|post| (post.created_at, post.id)),
    )?;
    for (place, answered) in (request.offset + 1..).zip(page) {
        same(
            "post",
            &rows.post(answered.id).map(Arc::as_ref),
            &Some(answered),
        )
        .map_err(|difference| difference.at(format!("row {place}")))?;
    }
    Ok(())
}

/// Whether a page of messages is right: whole rows, in order, numbered as today.
///
/// # Errors
/// The first row that is wrong.
pub fn hold_messages(oracle: &Oracle, request: &PageRequest, page: &[Message]) -> Held {
    message_history::hold_messages(oracle, &request.by_offset(), page)
}
