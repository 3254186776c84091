//! The first page of a feed, by candidates that a job has computed; and, while nothing is measured,
//! any page of any length.

use std::collections::HashSet;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::feed::{DEFAULT_LIMIT, MAX_LIMIT, Request};
use verdict_oracle::feed::{self as oracle, Page};
use verdict_oracle::write::Kind;
use verdict_oracle::{Difference, Oracle, Write};
use verdict_service::FeedAnswer;

use super::call::{Call, parse};
use super::{Flow, Lacking};
use crate::moments::{Right, Truth};

/// Readers, drawn alike.
const READERS: usize = 128;

/// Requests over every parameter.
const VARIED: usize = 64;

/// Sizes of pages, also one that is refused and one that is cut down, and places where they
/// begin.
const LIMITS: [u64; 7] = [0, 1, 7, 20, 100, 200, 201];
const FAR: u64 = 200_000;

/// Posts of an author who is written to: what is right has to be made of all of them each time.
const CHANGED: usize = 5_000;

/// The flow.
#[derive(Debug)]
pub(super) struct Feed {
    about: String,
    pages: Vec<Arc<Read>>,
    varied: Vec<Arc<Read>>,
    truth: Truth,
}

/// A page that is read.
#[derive(Debug)]
struct Read {
    request: Request,
    page: Page,
    /// Posts of it that PostgreSQL does not show, as long as nobody writes.
    hidden: HashSet<Uuid>,
}

impl Read {
    fn of(oracle: &Oracle, request: Request) -> Arc<Self> {
        let page = Page::of(
            oracle,
            &Request {
                limit: request.limit.min(MAX_LIMIT),
                ..request
            },
            0,
        );
        let hidden = page
            .posts()
            .filter(|(post, author)| oracle::is_hidden(oracle, *author, *post))
            .map(|(post, _)| post)
            .collect();
        Arc::new(Self {
            request,
            page,
            hidden,
        })
    }
}

impl Feed {
    pub(super) fn new(truth: &Truth, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        let oracle = &truth.world.oracle;
        let pages: Vec<Arc<Read>> = (0..READERS)
            .map(|_| {
                let request = Request {
                    user: oracle.world().user(random.random()),
                    limit: DEFAULT_LIMIT,
                    offset: 0,
                };
                Read::of(oracle, request)
            })
            .collect();
        if pages.iter().all(|read| read.page.posts().next().is_none()) {
            return Err(Lacking {
                flow: FlowId::Feed,
                what: "posts of the last month",
            });
        }
        let varied = (0..VARIED).map(|place| {
            let drawn = oracle::draw(oracle, random);
            let offset = match place % 8 {
                0 => 0,
                1 => FAR,
                2 => random.random_range(50..1_000),
                _ => drawn.offset,
            };
            let limit = LIMITS[place % LIMITS.len()];
            Read::of(
                oracle,
                Request {
                    limit,
                    offset,
                    ..drawn
                },
            )
        });
        Ok(Self {
            about: format!(
                "the first {DEFAULT_LIMIT} posts of {READERS} readers' feeds, with candidates \
                 filled in beforehand; today's side reads the audit's tables, filled once, as \
                 without them it answers with an empty feed"
            ),
            varied: varied.collect(),
            pages,
            truth: truth.clone(),
        })
    }
}

impl Flow for Feed {
    fn id(&self) -> FlowId {
        FlowId::Feed
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        feed(
            side,
            &self.truth,
            &self.pages[random.random_range(0..self.pages.len())],
        )
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let read = &self.varied[random.random_range(0..self.varied.len())];
        let call = feed(side, &self.truth, read).unjudged();
        // The service takes no page of no posts.
        match read.request.limit {
            0 => call.refused(400),
            _ => call,
        }
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let read = self.pages.choose(random)?;
        let mut posts: Vec<(Uuid, Uuid)> = read.page.posts().collect();
        posts.sort_unstable();
        let (post, author) = *posts.choose(random)?;
        let rows = oracle.author(author)?;
        if rows.visible().len() > CHANGED || rows.post(post)?.soft_delete.is_some() {
            return None;
        }
        let kind = *[Kind::Edited, Kind::Deleted].choose(random)?;
        Write::on_post(&rows, post, kind)
    }
}

/// Reads a page of a feed.
fn feed(side: Side, truth: &Truth, read: &Arc<Read>) -> Call {
    let Request {
        user,
        limit,
        offset,
    } = read.request;
    let (shape, whole) = (Arc::clone(read), Arc::clone(read));
    Call::get(
        side,
        truth.of(side),
        &format!("/users/{user}/feed?limit={limit}&offset={offset}"),
        Box::new(move |right, body| {
            let answer: Shape = parse(body)?;
            let ids = answer.posts.iter().map(|post| post.id);
            let hidden = |author, post| is_hidden(right, &shape, author, post);
            shape.page.hold_ids(hidden, ids)?;
            let foreign = |post: &&RowShape| shape.page.author(post.id) != Some(post.user_id);
            match answer.posts.iter().find(foreign) {
                Some(post) => Err(Difference(format!("a post of {}", post.user_id))),
                None => Ok(()),
            }
        }),
        Box::new(move |right, body| {
            let answer: FeedAnswer = parse(body)?;
            let request = Request {
                limit: limit.min(MAX_LIMIT),
                ..whole.request
            };
            oracle::hold(&right.oracle, &request, &answer.posts)
        }),
    )
}

fn is_hidden(right: &Right, read: &Read, author: Uuid, post: Uuid) -> bool {
    if right.changes(author) {
        oracle::is_hidden(&right.oracle, author, post)
    } else {
        read.hidden.contains(&post)
    }
}

/// The fields of an answer without what most of them hold.
#[derive(Deserialize)]
struct Shape {
    posts: Vec<RowShape>,
}

#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "a field that is missing makes the shape a wrong one"
)]
struct RowShape {
    id: Uuid,
    user_id: Uuid,
    caption: IgnoredAny,
    image_key: IgnoredAny,
    image_sizes: IgnoredAny,
    status: IgnoredAny,
    content_type: IgnoredAny,
    created_at: IgnoredAny,
    updated_at: IgnoredAny,
    like_count: IgnoredAny,
    comment_count: IgnoredAny,
    view_count: IgnoredAny,
    thumbnail_url: IgnoredAny,
    medium_url: IgnoredAny,
    original_url: IgnoredAny,
}
