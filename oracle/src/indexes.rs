//! Item 11: which reads the indexes are tried with, and what is right of each.

use chrono::TimeDelta;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::indexes::{Counts, Membership, RangeRequest, Said};
use verdict_baseline::pagination::Post;

use crate::conversation::Row;
use crate::conversation_fetch;
use crate::difference::{Held, same};
use crate::oracle::Oracle;
use crate::post_images::{self, Asked};
use crate::timeline::Timeline;
use crate::write::{Page, Shown, Write};

/// Rows of a page.
pub const LIMITS: [i64; 4] = [1, 7, 20, 200];

/// Newest posts of an author: whose, and how many.
pub type PostsRequest = (Uuid, i64);

/// Whether a member's conversations are right.
///
/// # Errors
/// What is due, and what was answered.
pub fn hold_members(oracle: &Oracle, user: Uuid, answer: &[Membership]) -> Held {
    let mut due: Vec<Membership> = oracle
        .conversations_of(user)
        .into_iter()
        .map(|conversation_id| Membership {
            is_archived: oracle.has_archived(conversation_id, user),
            conversation_id,
        })
        .collect();
    due.sort_unstable();
    same("conversations", &due[..], answer)
}

/// Any author, and any number of posts.
pub fn draw_posts(oracle: &Oracle, random: &mut impl Rng) -> PostsRequest {
    let author = match random.random_range(0..12) {
        0 => oracle.nobody(random),
        1 => crate::hostile::tied_author(),
        _ => oracle.world().sample_author(random).id,
    };
    (author, *LIMITS.choose(random).unwrap_or(&20))
}

/// Whether the newest published posts are right.
///
/// # Errors
/// The first that is wrong.
pub fn hold_posts(oracle: &Oracle, (author, limit): PostsRequest, answer: &[Post]) -> Held {
    let Some(rows) = oracle.author(author) else {
        return same("posts of nobody", &0, &answer.len());
    };
    let shown = rows
        .rows()
        .filter(|post| post.status == "published" && post.soft_delete.is_none());
    let due = Timeline::newest_first(shown.map(|post| (post.created_at, post.id)));
    due.hold(
        0,
        limit,
        answer.iter().map(|post| (post.created_at, post.id)),
    )?;
    for (place, post) in (1..).zip(answer) {
        same("post", &rows.post(post.id).map(AsRef::as_ref), &Some(post))
            .map_err(|wrong| wrong.at(format!("row {place}")))?;
    }
    Ok(())
}

/// Hours that a range is long of which a page is measured: there are more messages in it.
pub const MONTH: i64 = 24 * 30;

/// A range of so many hours from some message of a conversation on.
pub fn range_of(
    oracle: &Oracle,
    conversation: Uuid,
    (hours, limit): (i64, i64),
    random: &mut impl Rng,
) -> RangeRequest {
    let clock = oracle.world().clock();
    let rows = oracle.conversation(conversation);
    let visible = rows.as_ref().map(|rows| rows.visible(true));
    let at = visible.and_then(|rows| {
        let place = random.random_range(0..rows.len().max(1));
        rows.before(place + 1)
    });
    let since = at.map_or(clock - TimeDelta::days(7), |(time, _)| time);
    RangeRequest {
        conversation,
        since,
        until: since + TimeDelta::hours(hours),
        limit,
    }
}

/// A range of any conversation.
pub fn draw_range(oracle: &Oracle, random: &mut impl Rng) -> RangeRequest {
    let conversation = conversation_fetch::draw(oracle, random);
    let limit = *LIMITS.choose(random).unwrap_or(&20);
    let hours = *[1, 24, MONTH].choose(random).unwrap_or(&MONTH);
    range_of(oracle, conversation, (hours, limit), random)
}

/// A write that makes another answer right for a range.
pub fn range_between(
    oracle: &Oracle,
    request: &RangeRequest,
    random: &mut impl Rng,
) -> Option<Write> {
    let rows = oracle.conversation(request.conversation)?;
    let shown = Shown {
        recalled: true,
        details: false,
    };
    let timeline = rows.visible(shown.recalled);
    let up_to = |instant| timeline.up_to((instant, Uuid::nil())) as i64;
    let (from, to) = (up_to(request.since), up_to(request.until));
    let offset = from.max(to - request.limit);
    let page = Page {
        offset,
        limit: to - offset,
        moves: false,
        after: None,
    };
    Write::on_page(&rows, shown, page, random)
}

/// Whether the messages of a range are right.
///
/// # Errors
/// The first that is wrong.
pub fn hold_range(oracle: &Oracle, request: &RangeRequest, answer: &[Said]) -> Held {
    let Some(rows) = oracle.conversation(request.conversation) else {
        return same("messages of nothing", &0, &answer.len());
    };
    let range = request.since..request.until;
    let due = rows
        .rows()
        .filter(|row| row.deleted_at.is_none() && range.contains(&row.message.created_at));
    hold_newest(due, request.limit, answer)
}

/// Whether these are the newest of some messages.
///
/// # Errors
/// What is due, and what was answered.
pub(crate) fn hold_newest<'a>(
    rows: impl Iterator<Item = &'a Row>,
    limit: i64,
    answer: &[Said],
) -> Held {
    let mut due: Vec<Said> = rows
        .map(|row| Said {
            id: row.message.id,
            sender_id: row.message.sender_id,
            created_at: row.message.created_at,
            content: row.message.content.clone(),
            message_type: row.message.message_type.clone(),
        })
        .collect();
    due.sort_unstable_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
    due.truncate(usize::try_from(limit).unwrap_or_default());
    same("messages", &due[..], answer)
}

/// Whether what is counted about posts is right.
///
/// # Errors
/// What is due, and what was answered.
pub fn hold_counts(oracle: &Oracle, asked: &[Asked], answer: &[Counts]) -> Held {
    let mut due: Vec<Counts> = asked
        .iter()
        .filter_map(|asked| post_images::due(oracle, *asked))
        .map(|post| Counts {
            id: post.post.id,
            like_count: post.like_count,
            comment_count: post.comment_count,
            view_count: post.view_count,
        })
        .collect();
    due.sort_unstable_by_key(|counts| counts.id);
    same("counts", &due[..], answer)
}
