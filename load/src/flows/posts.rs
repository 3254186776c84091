//! Posts by user: page 100 by its offset today, any page by its cursor with the fix; and, while
//! nothing is measured, any page of any length, also behind a post that was deleted.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_history::MAX_LIMIT;
use verdict_oracle::pagination::{self as oracle, PageRequest};
use verdict_oracle::timeline::Key;
use verdict_oracle::{Difference, Oracle, Timeline, Write, same};
use verdict_seed::Author;
use verdict_service::PostsAnswer;
use verdict_service::cursor::{self, Cursor};

use super::call::{Call, parse};
use super::{Flow, Lacking};
use crate::moments::{Right, Truth};

/// The audit's example.
const PAGE: usize = 100;

/// Posts of a page, as in the audit's example.
const ROWS: i64 = 20;

/// Authors at most, those with the most posts.
const MOST: usize = 32;

/// Requests over every parameter, and as many behind posts that were deleted.
const VARIED: usize = 64;

/// Posts of an author who is written to: what is right has to be made of all of them each time.
const CHANGED: usize = 5_000;

/// The flow.
#[derive(Debug)]
pub(super) struct Posts {
    about: String,
    authors: Vec<Read>,
    /// The page that is asked for by offset, from 1.
    deep: usize,
    varied: Vec<(Page, Option<Arc<Timeline>>)>,
    truth: Truth,
}

/// An author who is read. The order alone is kept, since the authors of the most posts together
/// may be more than an oracle keeps.
#[derive(Debug)]
struct Read {
    author: Uuid,
    visible: Arc<Timeline>,
}

/// A page, told both ways: each side takes its own.
#[derive(Debug, Clone, Copy)]
struct Page {
    author: Uuid,
    limit: i64,
    offset: i64,
    /// The post behind which it begins; none for the first page.
    after: Option<Key>,
}

impl Posts {
    pub(super) fn new(truth: &Truth, random: &mut ChaCha8Rng) -> Result<Self, Lacking> {
        let oracle = &truth.world.oracle;
        let world = oracle.world();
        let mut authors: Vec<Author> = (0..world.users()).map(|user| world.author(user)).collect();
        authors.sort_by_key(|author| Reverse(author.posts));
        authors.truncate(MOST);
        let mut authors: Vec<Read> = authors
            .iter()
            .filter_map(|author| oracle.author(author.id))
            .map(|rows| Read {
                author: rows.id,
                visible: Arc::new(rows.visible().clone()),
            })
            .collect();
        authors.sort_by_key(|read| Reverse(read.visible.len()));
        let pages = authors.first().map_or(0, Read::pages).min(PAGE);
        if pages == 0 {
            return Err(Lacking {
                flow: FlowId::Page,
                what: "an author with a page of posts",
            });
        }
        authors.retain(|read| read.pages() >= pages);
        let mut about = format!(
            "page {pages} by offset today and any page by cursor with the fix, of {} authors with \
             {} posts or more",
            authors.len(),
            pages * ROWS as usize
        );
        if pages < PAGE {
            let rows = PAGE * ROWS as usize;
            write!(about, " (nobody has the {rows} that page {PAGE} takes)").unwrap_or_default();
        }
        Ok(Self {
            about,
            authors,
            deep: pages,
            varied: varied(oracle, random),
            truth: truth.clone(),
        })
    }

    fn page(&self, side: Side, random: &mut ChaCha8Rng) -> (&Read, Page) {
        let read = &self.authors[random.random_range(0..self.authors.len())];
        let page = match side {
            Side::Baseline => self.deep,
            Side::Optimized => self.any(read, random),
        };
        (read, read.page(page))
    }

    /// The deep page half of the time, any other otherwise: a cursor must not care.
    fn any(&self, read: &Read, random: &mut ChaCha8Rng) -> usize {
        if random.random_bool(0.5) {
            self.deep
        } else {
            random.random_range(1..=read.pages())
        }
    }
}

/// Pages over every parameter, with what their authors show.
fn varied(oracle: &Oracle, random: &mut ChaCha8Rng) -> Vec<(Page, Option<Arc<Timeline>>)> {
    let mut pages = Vec::new();
    for _ in 0..VARIED {
        let drawn = oracle::draw_posts(oracle, random);
        let author = oracle.author(drawn.of);
        let shown = author
            .as_ref()
            .map(|author| Arc::new(author.visible().clone()));
        // A cursor stands at the end at most; an offset may be far beyond it.
        let beyond = match random.random_range(0..8) {
            0 => random.random_range(1..1_000_000),
            _ => 0,
        };
        let page = Page {
            author: drawn.of,
            limit: drawn.limit,
            offset: drawn.offset + beyond,
            after: drawn.after,
        };
        let deleted: Vec<Key> = author.map_or_else(Vec::new, |author| {
            let deleted = author.rows().filter(|post| post.soft_delete.is_some());
            deleted.map(|post| (post.created_at, post.id)).collect()
        });
        if let (Some(shown), Some(deleted)) = (&shown, deleted.choose(random)) {
            let behind = Page {
                offset: shown.up_to(*deleted) as i64,
                after: Some(*deleted),
                ..page
            };
            pages.push((behind, Some(Arc::clone(shown))));
        }
        pages.push((page, shown));
    }
    pages
}

impl Read {
    /// Full pages.
    fn pages(&self) -> usize {
        self.visible.len() / ROWS as usize
    }

    /// A page, counted from 1.
    fn page(&self, page: usize) -> Page {
        let offset = (page - 1) * ROWS as usize;
        Page {
            author: self.author,
            limit: ROWS,
            offset: offset as i64,
            after: self.visible.before(offset),
        }
    }
}

impl Page {
    fn path(&self, side: Side) -> String {
        let Self { author, limit, .. } = self;
        let mut path = format!("/users/{author}/posts?limit={limit}");
        match (side, self.after) {
            (Side::Baseline, _) => write!(path, "&offset={}", self.offset),
            (Side::Optimized, Some((created_at, id))) => {
                let cursor = cursor::encode(&Cursor { created_at, id });
                write!(path, "&cursor={cursor}")
            }
            (Side::Optimized, None) => Ok(()),
        }
        .unwrap_or_default();
        path
    }

    /// Posts at most.
    fn most(&self) -> i64 {
        self.limit.min(MAX_LIMIT)
    }

    /// The posts before it: a cursor stands behind its post, wherever that stands now.
    fn before(&self, side: Side, shown: &Timeline) -> i64 {
        match (side, self.after) {
            (Side::Baseline, _) => self.offset,
            (Side::Optimized, None) => 0,
            (Side::Optimized, Some(post)) => shown.up_to(post) as i64,
        }
    }

    fn request(&self, side: Side, shown: &Timeline) -> PageRequest {
        PageRequest {
            of: self.author,
            limit: self.most(),
            offset: self.before(side, shown),
            after: self.after,
            include_recalled: true,
        }
    }
}

impl Flow for Posts {
    fn id(&self) -> FlowId {
        FlowId::Page
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let (read, page) = self.page(side, random);
        posts(side, &self.truth, &read.visible, page)
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let (page, shown) = &self.varied[random.random_range(0..self.varied.len())];
        let nothing = Arc::default();
        let call = posts(side, &self.truth, shown.as_ref().unwrap_or(&nothing), *page).unjudged();
        // The service takes no page of no posts.
        match shown {
            _ if page.limit == 0 => call.refused(400),
            None => call.refused(404),
            Some(_) => call,
        }
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let small = |visible: &Timeline| visible.len() <= CHANGED;
        let fewest = self.authors.last()?;
        let side = [Side::Baseline, Side::Optimized][random.random_range(0..2)];
        let page = match self.varied.choose(random)? {
            (page, Some(shown)) if small(shown) && random.random_bool(0.2) => *page,
            _ => {
                let (read, page) = self.page(side, random);
                if small(&read.visible) {
                    page
                } else {
                    fewest.page(self.deep)
                }
            }
        };
        let author = oracle.author(page.author)?;
        oracle::post_between(oracle, &page.request(side, author.visible()), random)
    }
}

/// Reads a page of an author who shows these posts as long as nobody writes.
fn posts(side: Side, truth: &Truth, shown: &Arc<Timeline>, page: Page) -> Call {
    let author = page.author;
    let shown = Arc::clone(shown);
    let whose = move |right: &Right| {
        let changed = right.changes(author).then(|| right.oracle.author(author));
        changed.flatten()
    };
    let everyone = Arc::clone(&shown);
    Call::get(
        side,
        truth.of(side),
        &page.path(side),
        Box::new(move |right, body| {
            let shape: Shape = parse(body)?;
            let hold = |shown: &Timeline| {
                let ids = shape.posts.iter().map(|post| post.id);
                let before = page.before(side, shown) as usize;
                shown.hold_ids(before, page.most() as usize, ids)
            };
            match whose(right) {
                Some(now) => hold(now.visible())?,
                None => hold(&shown)?,
            }
            match shape.posts.iter().find(|post| post.user_id != author) {
                Some(post) => Err(Difference(format!("a post of {}", post.user_id))),
                None => Ok(()),
            }
        }),
        Box::new(move |right, body| {
            let answer: PostsAnswer = parse(body)?;
            let request = match whose(right) {
                Some(now) => page.request(side, now.visible()),
                None => page.request(side, &everyone),
            };
            oracle::hold_posts(&right.oracle, &request, &answer.posts)?;
            // Today knows no cursors; with the fix a full page leads on to the next.
            let full = answer.posts.len() as i64 == page.most();
            let next = answer.posts.last().map(|last| Cursor {
                created_at: last.created_at,
                id: last.id,
            });
            let due = next.filter(|_| side == Side::Optimized && full);
            same("next", &due.as_ref().map(cursor::encode), &answer.next)
        }),
    )
}

/// The fields of an answer without what most of them hold.
#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "a field that is missing makes the shape a wrong one"
)]
struct Shape {
    posts: Vec<RowShape>,
    next: IgnoredAny,
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
    soft_delete: IgnoredAny,
}
