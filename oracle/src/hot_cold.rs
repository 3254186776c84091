//! Item 14: which recent messages are asked for, and what is right of them.

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::hot_cold::Request;
use verdict_baseline::indexes::Said;

use crate::conversation_fetch;
use crate::difference::{Held, same};
use crate::hostile;
use crate::indexes::{LIMITS, hold_newest};
use crate::oracle::Oracle;
use crate::write::{Page, Shown, Write};

/// Days of which the newest messages are measured.
const WEEK: i64 = 7;

/// As fine as PostgreSQL tells times apart.
const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// How a conversation's recent messages are shown.
const SHOWN: Shown = Shown {
    recalled: false,
    details: false,
};

/// The first instant of a conversation's last days: it may have ended long before the world.
pub fn last_week(oracle: &Oracle, conversation: Uuid) -> DateTime<Utc> {
    let rows = oracle.conversation(conversation);
    let newest = rows.and_then(|rows| {
        let visible = rows.visible(SHOWN.recalled);
        visible.before(visible.len())
    });
    let ended = newest.map_or_else(|| oracle.world().clock(), |(instant, _)| instant);
    ended - TimeDelta::days(WEEK)
}

/// So many days before the world ends.
fn days_ago(oracle: &Oracle, days: i64) -> DateTime<Utc> {
    oracle.world().clock() - TimeDelta::days(days)
}

/// Recent messages of any conversation, of that around a month's beginning more often than not;
/// where there is a first instant, now and then that of the month, or of a message.
pub fn draw(oracle: &Oracle, bounded: bool, random: &mut impl Rng) -> Request {
    let conversation = match random.random_range(0..5) {
        0..2 => hostile::border_conversation(),
        _ => conversation_fetch::draw(oracle, random),
    };
    let rows = oracle.conversation(conversation);
    let of_a_message = rows.and_then(|rows| {
        let visible = rows.visible(SHOWN.recalled);
        visible.before(random.random_range(0..=visible.len()))
    });
    let since = match (random.random_range(0..4), of_a_message) {
        (0, _) => hostile::month(oracle.world()),
        (1 | 2, Some((instant, _))) => instant,
        _ => days_ago(oracle, *[1, WEEK, 60].choose(random).unwrap_or(&WEEK)),
    };
    Request {
        conversation,
        since: bounded.then_some(since),
        limit: *LIMITS.choose(random).unwrap_or(&20),
    }
}

/// A write that makes another answer right.
pub fn write_between(oracle: &Oracle, request: &Request, random: &mut impl Rng) -> Option<Write> {
    let Some(rows) = oracle.conversation(request.conversation) else {
        let page = Page {
            offset: 0,
            limit: request.limit,
            moves: false,
            after: None,
        };
        let created = Write::conversation(request.conversation, oracle.world(), page, random);
        // What comes to be is of the last day.
        return created.filter(|_| {
            request
                .since
                .is_none_or(|since| since < days_ago(oracle, 1))
        });
    };
    let timeline = rows.visible(SHOWN.recalled);
    let from = request
        .since
        .map_or(0, |since| timeline.up_to((since, Uuid::nil())));
    let (from, to) = (from as i64, timeline.len() as i64);
    let offset = from.max(to - request.limit);
    let page = Page {
        offset,
        limit: (to - offset).max(1),
        moves: false,
        after: request.since.map(|since| (since - INSTANT, Uuid::nil())),
    };
    Write::on_page(&rows, SHOWN, page, random)
}

/// Whether recent messages are right.
///
/// # Errors
/// What is due, and what was answered.
pub fn hold(oracle: &Oracle, request: &Request, answer: &[Said]) -> Held {
    let Some(rows) = oracle.conversation(request.conversation) else {
        return same("messages of nothing", &0, &answer.len());
    };
    let is_recent = |instant| request.since.is_none_or(|since| since <= instant);
    let recent = rows
        .rows()
        .filter(|row| row.is_visible(SHOWN.recalled) && is_recent(row.message.created_at));
    hold_newest(recent, request.limit, answer)
}
