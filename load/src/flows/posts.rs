//! Posts by user: page 100 by its offset today, any page by its cursor with the fix.

use std::cmp::Reverse;
use std::fmt::Write;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_oracle::pagination::{PageRequest, hold_posts};
use verdict_oracle::{Difference, Oracle, Timeline, same};
use verdict_seed::Author;
use verdict_service::PostsAnswer;
use verdict_service::cursor::{self, Cursor};

use super::{Call, Flow, Lacking, parse};

/// The audit's example.
const PAGE: usize = 100;

/// Posts of a page, as in the audit's example.
const ROWS: i64 = 20;

/// Authors at most, those with the most posts.
const MOST: usize = 32;

/// The flow.
#[derive(Debug)]
pub(super) struct Posts {
    about: String,
    authors: Vec<Read>,
    /// The page that is asked for by offset, from 1.
    deep: usize,
    oracle: Arc<Oracle>,
}

/// An author who is read. The order alone is kept, since the authors of the most posts together
/// may be more than an oracle keeps.
#[derive(Debug)]
struct Read {
    author: Uuid,
    visible: Arc<Timeline>,
}

impl Posts {
    pub(super) fn new(oracle: &Arc<Oracle>) -> Result<Self, Lacking> {
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
            oracle: Arc::clone(oracle),
        })
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

impl Read {
    /// Full pages.
    fn pages(&self) -> usize {
        self.visible.len() / ROWS as usize
    }

    /// A page, counted from 1.
    fn page(&self, page: usize) -> PageRequest {
        let offset = (page - 1) * ROWS as usize;
        PageRequest {
            of: self.author,
            limit: ROWS,
            offset: offset as i64,
            after: self.visible.before(offset),
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
        let read = &self.authors[random.random_range(0..self.authors.len())];
        let request = read.page(match side {
            Side::Baseline => self.deep,
            Side::Optimized => self.any(read, random),
        });
        let author = read.author;
        let mut path = format!("/users/{author}/posts?limit={ROWS}");
        match (side, request.after) {
            (Side::Baseline, _) => write!(path, "&offset={}", request.offset),
            (Side::Optimized, Some((created_at, id))) => {
                let cursor = cursor::encode(&Cursor { created_at, id });
                write!(path, "&cursor={cursor}")
            }
            (Side::Optimized, None) => Ok(()),
        }
        .unwrap_or_default();
        let (oracle, visible) = (Arc::clone(&self.oracle), Arc::clone(&read.visible));
        let offset = request.offset as usize;
        Call::get(
            side,
            &path,
            Box::new(move |body| {
                let shape: Shape = parse(body)?;
                let ids = shape.posts.iter().map(|post| post.id);
                visible.hold_ids(offset, ROWS as usize, ids)?;
                match shape.posts.iter().find(|post| post.user_id != author) {
                    Some(post) => Err(Difference(format!("a post of {}", post.user_id))),
                    None => Ok(()),
                }
            }),
            Box::new(move |body| {
                let answer: PostsAnswer = parse(body)?;
                hold_posts(&oracle, &request, &answer.posts)?;
                // Today knows no cursors; with the fix a full page leads on to the next.
                let next = answer.posts.last().map(|last| Cursor {
                    created_at: last.created_at,
                    id: last.id,
                });
                let due = next.filter(|_| side == Side::Optimized);
                same("next", &due.as_ref().map(cursor::encode), &answer.next)
            }),
        )
    }
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
