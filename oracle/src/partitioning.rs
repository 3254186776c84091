//! Item 10: which ranges of time are asked for, and what a right answer is.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::partitioning::{
    AuthorLikes, EventsRequest, Kept, Post, PostsRequest, Range, RetentionRequest, Trending,
};
use verdict_seed::World;

use crate::difference::{Difference, Held, same};
use crate::events::Second;
use crate::oracle::Oracle;
use crate::slices::ranges;

/// Posts that are asked for at once.
const IDS: [usize; 4] = [0, 1, 20, 100];

/// Rows of a page.
const LIMITS: [u64; 4] = [1, 50, 200, 1_000];

/// Every range that is asked for.
fn every_range(world: &World) -> Vec<Range> {
    let time = |second: Second| DateTime::from_timestamp(second.into(), 0).unwrap_or_default();
    let ranges = ranges(world).into_iter();
    ranges
        .map(|range| Range {
            since: time(range.start),
            until: time(range.end),
        })
        .collect()
}

/// The last so many hours.
pub fn last_hours(world: &World, hours: i64) -> Range {
    Range {
        since: world.clock() - TimeDelta::hours(hours),
        until: world.clock(),
    }
}

fn second(time: DateTime<Utc>) -> Second {
    time.timestamp() as Second
}

/// A range of so many hours, of those that are asked for; the last one where there is none.
pub fn range_of(oracle: &Oracle, hours: i64, random: &mut impl Rng) -> Range {
    let mut ranges = every_range(oracle.world());
    ranges.retain(|range| range.until - range.since == TimeDelta::hours(hours));
    let any = ranges.choose(random).copied();
    any.unwrap_or_else(|| last_hours(oracle.world(), hours))
}

fn any_range(oracle: &Oracle, random: &mut impl Rng) -> Range {
    let any = every_range(oracle.world()).choose(random).copied();
    any.unwrap_or_else(|| last_hours(oracle.world(), 24))
}

/// An hour that begins or ends with the second of a post.
fn at_a_post(oracle: &Oracle, random: &mut impl Rng) -> Option<Range> {
    let author = oracle.author(oracle.world().sample_author(random).id)?;
    let times: Vec<DateTime<Utc>> = author.rows().map(|post| post.created_at).collect();
    let time = DateTime::from_timestamp(times.choose(random)?.timestamp(), 0)?;
    let since = time - TimeDelta::hours(random.random_range(0..=1));
    let until = since + TimeDelta::hours(1);
    Some(Range { since, until })
}

/// Posts of any range, and of an hour at whose border one is; of none in the world's future.
pub fn draw_posts(oracle: &Oracle, random: &mut impl Rng) -> PostsRequest {
    let mut range = any_range(oracle, random);
    match random.random_range(0..20) {
        0 => {
            range = Range {
                since: range.until,
                until: range.since,
            };
        }
        1..5 => range = at_a_post(oracle, random).unwrap_or(range),
        _ => {}
    }
    PostsRequest {
        range,
        limit: *LIMITS.choose(random).unwrap_or(&1),
    }
}

/// Events of any range.
pub fn draw_events(oracle: &Oracle, random: &mut impl Rng) -> EventsRequest {
    EventsRequest {
        range: any_range(oracle, random),
        limit: *LIMITS.choose(random).unwrap_or(&1),
    }
}

/// Any range.
pub fn draw_likes(oracle: &Oracle, random: &mut impl Rng) -> Range {
    any_range(oracle, random)
}

/// Posts by id: any of any author's, deleted ones and unknown ones too.
pub fn draw_ids(oracle: &Oracle, random: &mut impl Rng) -> Vec<String> {
    let count = *IDS.choose(random).unwrap_or(&1);
    (0..count).map(|_| any_id(oracle, random)).collect()
}

fn any_id(oracle: &Oracle, random: &mut impl Rng) -> String {
    let world = oracle.world();
    let author = world.sample_author(random);
    let id = match random.random_range(0..10) {
        0 => oracle.nobody(random),
        1 => {
            let gone = world.deleted_posts(&author);
            let gone = gone.choose(random).map(|gone| gone.post.id);
            gone.unwrap_or_else(|| oracle.nobody(random))
        }
        _ => {
            let rows = oracle.author(author.id);
            let ids: Vec<Uuid> = rows
                .iter()
                .flat_map(|rows| rows.rows().map(|post| post.id))
                .collect();
            ids.choose(random).copied().unwrap_or_default()
        }
    };
    id.to_string()
}

/// Events from a month's beginning on: of any month that is kept, of all and of none.
pub fn draw_retention(oracle: &Oracle, random: &mut impl Rng) -> RetentionRequest {
    retention(oracle.world(), random.random_range(0..=4))
}

/// Events of the last whole months so many, and of the month that the world's clock is in; of
/// none where nothing is kept.
pub fn retention(world: &World, months: u32) -> RetentionRequest {
    let clock = world.clock();
    let month = clock.year() * 12 + clock.month0() as i32 - months as i32;
    let (year, month0) = (month.div_euclid(12), month.rem_euclid(12) as u32);
    let keep_from = Utc.with_ymd_and_hms(year, month0 + 1, 1, 0, 0, 0);
    RetentionRequest {
        keep_from: keep_from.single().unwrap_or(clock),
    }
}

/// Whether posts of a range are right.
///
/// # Errors
/// The first that is wrong.
pub fn hold_posts(oracle: &Oracle, request: &PostsRequest, answer: &[Post]) -> Held {
    let Range { since, until } = request.range;
    let range = second(since)..second(until);
    let events = oracle.events();
    let mut due: Vec<(std::cmp::Reverse<Second>, String, Uuid)> = events
        .posts()
        .filter(|(_, post)| !post.deleted && range.contains(&post.created_at))
        .map(|(id, post)| {
            let time = std::cmp::Reverse(post.created_at);
            (time, id.to_string(), post.author)
        })
        .collect();
    due.sort_unstable();
    due.truncate(request.limit as usize);
    let due = due
        .into_iter()
        .map(|(time, id, author)| post(id, author, time.0));
    each("post", due, answer)
}

fn post(id: String, author: Uuid, created_at: Second) -> Post {
    Post {
        id,
        user_id: author.to_string(),
        created_at: DateTime::from_timestamp(created_at.into(), 0).unwrap_or_default(),
    }
}

/// Whether posts that were asked for by id are right.
///
/// # Errors
/// The first that is wrong.
pub fn hold_ids(oracle: &Oracle, ids: &[String], answer: &[Post]) -> Held {
    let events = oracle.events();
    let mut ids: Vec<&String> = ids.iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let due = ids.into_iter().filter_map(|id| {
        let facts = events.post(Uuid::parse_str(id).ok()?)?;
        (!facts.deleted).then(|| post(id.clone(), facts.author, facts.created_at))
    });
    each("post", due, answer)
}

/// Whether likes by author are right.
///
/// # Errors
/// The first that is wrong.
pub fn hold_likes(oracle: &Oracle, range: &Range, answer: &[AuthorLikes]) -> Held {
    let place = place(oracle, range)?;
    let (slices, cut) = (oracle.slices(), oracle.events().cut());
    let mut likes: BTreeMap<String, u64> = BTreeMap::new();
    for slice in &slices.posts {
        let given = slice.likes[place];
        if given > 0 && !slice.deleted && cut.keeps(slice.post) {
            let author = oracle.world().user(slice.author).to_string();
            *likes.entry(author).or_default() += u64::from(given);
        }
    }
    let due = likes
        .into_iter()
        .map(|(author_id, likes)| AuthorLikes { author_id, likes });
    each("author", due, answer)
}

/// Whether the posts to which most was done are right.
///
/// # Errors
/// The first that is wrong.
pub fn hold_events(oracle: &Oracle, request: &EventsRequest, answer: &[Trending]) -> Held {
    let place = place(oracle, &request.range)?;
    let (slices, cut) = (oracle.slices(), oracle.events().cut());
    let done = slices.posts.iter().filter_map(|slice| {
        let events = slice.events[place];
        (events > 0 && cut.keeps(slice.post))
            .then(|| (std::cmp::Reverse(events), slice.post.to_string()))
    });
    let mut due: Vec<_> = done.collect();
    due.sort_unstable();
    due.truncate(request.limit as usize);
    let due = due.into_iter().map(|(events, post_id)| Trending {
        post_id,
        events: events.0.into(),
    });
    each("post", due, answer)
}

/// Whether what is left of the events is right.
///
/// # Errors
/// What is wrong.
pub fn hold_kept(oracle: &Oracle, request: &RetentionRequest, answer: &Kept) -> Held {
    let (slices, cut) = (oracle.slices(), oracle.events().cut());
    let from = second(request.keep_from);
    let first = slices.times.partition_point(|(time, _)| *time < from);
    let kept = || {
        let kept = slices.times[first..].iter();
        kept.filter(|(_, place)| cut.keeps(slices.posts[*place as usize].post))
    };
    let oldest = kept().next().map_or(0, |(time, _)| *time);
    let due = Kept {
        events: kept().count() as u64,
        oldest: DateTime::from_timestamp(oldest.into(), 0).unwrap_or_default(),
    };
    same("events that are kept", &due, answer)
}

/// The number of a range among those that are counted.
fn place(oracle: &Oracle, range: &Range) -> Result<usize, Difference> {
    let asked = second(range.since)..second(range.until);
    let mut ranges = ranges(oracle.world()).into_iter();
    let place = ranges.position(|known| known == asked);
    place.ok_or_else(|| Difference(format!("nobody has counted {range:?}")))
}

/// Rows one by one, and as many as are due.
fn each<T: PartialEq + std::fmt::Debug>(
    what: &str,
    due: impl Iterator<Item = T>,
    answer: &[T],
) -> Held {
    let mut rows = 0;
    for (row, due) in (1..).zip(due) {
        same(what, &Some(&due), &answer.get(row - 1))
            .map_err(|difference| difference.at(format!("row {row}")))?;
        rows = row;
    }
    same("rows", &rows, &answer.len())
}
