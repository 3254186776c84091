//! Item 3: which users and posts are asked for, what a right answer is, and what is delivered in
//! between.

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::engagement_rollup::{Affinity, AffinityRequest, Metrics, MetricsRequest};

use crate::delivery::Delivery;
use crate::difference::{Held, same};
use crate::events::{Done, Events, Kind as Act, PostFacts, Second};
use crate::oracle::Oracle;
use crate::write::{Kind, Write};

/// Days of the first view's window.
const WINDOW: TimeDelta = TimeDelta::days(90);

/// Posts that a feed asks for at once: a page's candidates of one source.
const POSTS: usize = 100;

/// Hours of a measured request.
const HOURS: i64 = 24;

/// Users that are looked at until one has done something, or until there are posts enough.
const USERS: usize = 400;

/// What a like and a comment weigh.
const WEIGHTS: (f64, f64) = (1.0, 2.0);

/// A user who has done something in the window, as it is measured.
pub fn measured_user(oracle: &Oracle, random: &mut impl Rng) -> AffinityRequest {
    let events = oracle.events();
    let since = window(oracle.world().clock());
    let mut user = any_user(oracle, random);
    for _ in 0..USERS {
        if !events.affinity(user, since).is_empty() {
            break;
        }
        user = any_user(oracle, random);
    }
    of(oracle, user)
}

/// Users of all kinds, also such as did something to a post that is gone; now and then nobody.
pub fn draw_user(oracle: &Oracle, random: &mut impl Rng) -> AffinityRequest {
    match random.random_range(0..10) {
        0 => of(oracle, oracle.nobody(random)),
        1 => of(oracle, any_user(oracle, random)),
        2 => {
            let user = (0..TRIES).find_map(|_| of_a_gone_post(oracle, random));
            of(oracle, user.unwrap_or_else(|| any_user(oracle, random)))
        }
        _ => measured_user(oracle, random),
    }
}

/// Authors among whom one is sought who has deleted a post.
const TRIES: usize = 10;

/// Somebody who liked a post that is gone, or wrote a comment on it.
fn of_a_gone_post(oracle: &Oracle, random: &mut impl Rng) -> Option<Uuid> {
    let world = oracle.world();
    let gone = world.deleted_posts(&world.sample_author(random));
    let done = oracle.events().on_post(gone.choose(random)?.post.id);
    Some(done.choose(random)?.user)
}

/// The request for a user at the world's clock.
pub fn of(oracle: &Oracle, user: Uuid) -> AffinityRequest {
    AffinityRequest {
        user: user.to_string(),
        now: oracle.world().clock(),
    }
}

/// Posts on which something was done in the last day, as they are measured.
pub fn measured_posts(oracle: &Oracle, random: &mut impl Rng) -> MetricsRequest {
    let until = oracle.world().clock();
    request(
        oracle,
        POSTS,
        until - TimeDelta::hours(HOURS),
        until,
        random,
    )
}

/// Few posts and many, an hour and the whole history; now and then one that nobody has.
pub fn draw_posts(oracle: &Oracle, random: &mut impl Rng) -> MetricsRequest {
    let now = oracle.world().clock();
    let hours = [1, 24, 24 * 7, 24 * 200].choose(random).copied();
    let hours = TimeDelta::hours(hours.unwrap_or(1));
    let until = match random.random_range(0..3) {
        0 => now - TimeDelta::hours(random.random_range(1..24 * 30)),
        _ => now,
    };
    let posts = [1, 3, 20, POSTS].choose(random).copied().unwrap_or(1);
    let mut request = request(oracle, posts, until - hours, until, random);
    match random.random_range(0..8) {
        0 => request.posts = vec![oracle.nobody(random).to_string()],
        1 => request.posts.push(oracle.nobody(random).to_string()),
        2 => request.posts.clear(),
        3 => request.posts.extend(request.posts.first().cloned()),
        _ => {}
    }
    request
}

fn any_user(oracle: &Oracle, random: &mut impl Rng) -> Uuid {
    oracle.world().user(random.random())
}

fn request(
    oracle: &Oracle,
    count: usize,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    random: &mut impl Rng,
) -> MetricsRequest {
    let events = oracle.events();
    let within = seconds(since)..seconds(until);
    let (mut posts, mut others) = (Vec::new(), Vec::new());
    for _ in 0..USERS {
        let (inside, outside) = events
            .by_user(any_user(oracle, random))
            .into_iter()
            .partition::<Vec<Done>, _>(|done| within.contains(&done.at));
        posts.extend(inside.iter().map(|done| done.post));
        others.extend(outside.iter().map(|done| done.post));
        others.truncate(POSTS);
        posts.sort_unstable();
        posts.dedup();
        if posts.len() >= count {
            break;
        }
    }
    posts.shuffle(random);
    posts.extend(others);
    posts.truncate(count);
    MetricsRequest {
        posts: posts.iter().map(Uuid::to_string).collect(),
        since,
        until,
    }
}

fn window(now: DateTime<Utc>) -> Second {
    seconds(now - WINDOW)
}

fn seconds(at: DateTime<Utc>) -> Second {
    u32::try_from(at.timestamp()).unwrap_or_default()
}

fn time(at: Second) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(at.into())
}

fn id(text: &str) -> Uuid {
    // Requests are made of ids.
    text.parse().unwrap_or_default()
}

/// Whether a user's authors are right, each with its sum and its time, in whatever order.
///
/// # Errors
/// What is due, and what was answered.
pub fn hold_affinity(oracle: &Oracle, request: &AffinityRequest, answer: &[Affinity]) -> Held {
    let due = oracle
        .events()
        .affinity(id(&request.user), window(request.now));
    let due = due.into_iter().map(|affinity| Affinity {
        author_id: affinity.author.to_string(),
        interaction_count: affinity.counts.weighed(WEIGHTS.0, WEIGHTS.1),
        last_interaction: time(affinity.last),
    });
    let by_author = |a: &Affinity, b: &Affinity| a.author_id.cmp(&b.author_id);
    let (mut due, mut answer): (Vec<_>, _) = (due.collect(), answer.to_vec());
    due.sort_by(by_author);
    answer.sort_by(by_author);
    row_by_row("author", &due, &answer)
}

/// Whether the hours of posts are right, in whatever order. An hour in which nothing stands may
/// have a row that says so, as it has today.
///
/// # Errors
/// What is due, and what was answered.
pub fn hold_metrics(oracle: &Oracle, request: &MetricsRequest, answer: &[Metrics]) -> Held {
    let events = oracle.events();
    let within = seconds(request.since)..seconds(request.until);
    let mut posts: Vec<Uuid> = request.posts.iter().map(|post| id(post)).collect();
    posts.sort_unstable();
    posts.dedup();
    let mut due = Vec::new();
    for post in posts {
        let author = events.post(post).map(|facts| facts.author.to_string());
        let hours = events.by_hour(post).into_iter();
        due.extend(
            hours
                .filter(|(hour, _)| within.contains(hour))
                .map(|(hour, counts)| Metrics {
                    metric_hour: time(hour),
                    post_id: post.to_string(),
                    author_id: author.clone().unwrap_or_default(),
                    likes_count: counts.likes as i64,
                    comments_count: counts.comments as i64,
                }),
        );
    }
    let stands = |row: &&Metrics| (row.likes_count, row.comments_count) != (0, 0);
    let key = |row: &Metrics| (row.post_id.clone(), row.metric_hour);
    let mut answer: Vec<Metrics> = answer.iter().filter(stands).cloned().collect();
    due.sort_by_key(key);
    answer.sort_by_key(key);
    row_by_row("hour", &due, &answer)
}

/// The first row that differs, so that a difference can be read.
fn row_by_row<T: PartialEq + std::fmt::Debug>(what: &str, due: &[T], answer: &[T]) -> Held {
    for place in 0..due.len().max(answer.len()) {
        same(what, &due.get(place), &answer.get(place))?;
    }
    Ok(())
}

/// Whether a user's answer is another one than at the world's clock, with nothing inserted.
pub fn ages(oracle: &Oracle, request: &AffinityRequest) -> bool {
    let (events, user) = (oracle.events(), id(&request.user));
    let now = oracle.world().clock();
    events.affinity(user, window(now)) != events.affinity(user, window(request.now))
}

/// The id of a post that nobody knows, and that belongs where the oracle is of.
pub fn new_post(events: &Events, oracle: &Oracle, random: &mut impl Rng) -> Uuid {
    loop {
        let id = oracle.nobody(random);
        if events.cut().keeps(id) {
            return id;
        }
    }
}

/// What makes another answer of a user right.
pub fn user_between(
    oracle: &Oracle,
    request: &AffinityRequest,
    random: &mut impl Rng,
) -> Option<Write> {
    let events = oracle.events();
    let (user, since) = (id(&request.user), window(request.now));
    let stands =
        |done: &Done| done.at >= since && events.post(done.post).is_some_and(|post| !post.deleted);
    let did: Vec<Done> = events.by_user(user).into_iter().filter(stands).collect();
    let at = seconds(request.now) - random.random_range(1..80 * 86_400);
    let some = did.choose(random).copied();
    let kind = match some {
        Some(_) => [
            Kind::Liked,
            Kind::Unliked,
            Kind::Commented,
            Kind::Deleted,
            Kind::Sent,
        ]
        .choose(random)
        .copied()?,
        None => Kind::Created,
    };
    let facts = PostFacts {
        author: any_user(oracle, random),
        created_at: at - 1,
        deleted: false,
    };
    let new = new_post(&events, oracle, random);
    changed(oracle, (kind, some), (user, at), (new, facts), random)
}

/// What makes other hours of posts right.
pub fn posts_between(
    oracle: &Oracle,
    request: &MetricsRequest,
    random: &mut impl Rng,
) -> Option<Write> {
    let events = oracle.events();
    let (since, until) = (seconds(request.since), seconds(request.until));
    let post = id(request.posts.choose(random)?);
    let facts = events.post(post);
    let elsewhere = !events.cut().keeps(post);
    if elsewhere || since >= until || facts.is_some_and(|facts| facts.deleted) {
        return None;
    }
    let mut done = events.on_post(post);
    done.retain(|done| done.at - done.at % 3600 >= since && done.at < until);
    let at = random.random_range(since..until);
    let some = done.choose(random).copied();
    let kind = match some {
        Some(_) => [Kind::Liked, Kind::Unliked, Kind::Commented, Kind::Deleted]
            .choose(random)
            .copied()?,
        None if facts.is_none() => Kind::Created,
        None => [Kind::Liked, Kind::Commented].choose(random).copied()?,
    };
    let to = some.unwrap_or(Done {
        kind: Act::Like,
        user: any_user(oracle, random),
        post,
        at,
    });
    let facts = facts.unwrap_or(PostFacts {
        author: any_user(oracle, random),
        created_at: at - 1,
        deleted: false,
    });
    changed(
        oracle,
        (kind, Some(to)),
        (oracle.nobody(random), at),
        (post, facts),
        random,
    )
}

/// A change of one kind: to what was done, or by a user at an instant to a post that may be new.
fn changed(
    oracle: &Oracle,
    (kind, to): (Kind, Option<Done>),
    (user, at): (Uuid, Second),
    (new, facts): (Uuid, PostFacts),
    random: &mut impl Rng,
) -> Option<Write> {
    let known = to.map_or(new, |done| done.post);
    let world = oracle.world();
    let deliveries = match kind {
        // Twice, as one in fifty versions comes.
        Kind::Liked => vec![Delivery::like(world, user, known, at); 2],
        Kind::Commented => {
            let id = oracle.nobody(random);
            vec![Delivery::comment(world, id, (user, known), at)]
        }
        Kind::Unliked => {
            let done = to.filter(|done| done.kind == Act::Like)?;
            vec![Delivery::like(world, done.user, done.post, done.at).gone()]
        }
        Kind::Deleted => {
            let facts = oracle.events().post(known)?;
            vec![Delivery::post(world, known, facts).gone()]
        }
        // A like, and then its post.
        _ => vec![
            Delivery::like(world, user, new, at),
            Delivery::post(world, new, facts),
        ],
    };
    Some(Write::delivered(kind, deliveries))
}
