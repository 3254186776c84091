//! Posts by user: page 100 by its offset today, any page by its cursor with the fix.

use std::fmt::Write;

use futures_util::future::BoxFuture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::pagination::Post;
use verdict_seed::{Author, World};

use super::{Call, Flow, Http, Lacking, parse};
use crate::contract::{Timeline, same};
use crate::pagination::{self, LIMIT};
use crate::service::cursor;

/// The audit's example.
const PAGE: usize = 100;

/// Authors at most, those with the most posts.
const MOST: usize = 32;

/// The flow.
#[derive(Debug)]
pub(super) struct Page {
    about: String,
    authors: Vec<Reader>,
    /// The page that is asked for by offset, from 1.
    deep: usize,
}

#[derive(Debug)]
struct Reader {
    author: Uuid,
    timeline: Timeline,
}

impl Page {
    pub(super) fn new(world: &World) -> Result<Self, Lacking> {
        let rows = PAGE * LIMIT as usize;
        let mut authors: Vec<Author> = (0..world.users()).map(|user| world.author(user)).collect();
        authors.sort_by_key(|author| std::cmp::Reverse(author.posts));
        authors.truncate(MOST);
        let mut readers: Vec<Reader> = authors
            .iter()
            .map(|author| Reader {
                author: author.id,
                timeline: pagination::timeline(world, author),
            })
            .collect();
        readers.sort_by_key(|reader| std::cmp::Reverse(reader.timeline.len()));
        let pages = readers.first().map_or(0, Reader::pages).min(PAGE);
        if pages == 0 {
            return Err(Lacking {
                flow: FlowId::Page,
                what: "an author with a page of posts",
            });
        }
        readers.retain(|reader| reader.pages() >= pages);
        let mut about = format!(
            "page {pages} by offset today and any page by cursor with the fix, of {} authors with \
             {} posts or more",
            readers.len(),
            pages * LIMIT as usize
        );
        if pages < PAGE {
            write!(about, " (nobody has the {rows} that page {PAGE} takes)").unwrap_or_default();
        }
        Ok(Self {
            about,
            authors: readers,
            deep: pages,
        })
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> &Reader {
        &self.authors[random.random_range(0..self.authors.len())]
    }

    /// The deep page half of the time, any other otherwise: a cursor must not care.
    fn any(&self, reader: &Reader, random: &mut ChaCha8Rng) -> usize {
        if random.random_bool(0.5) {
            self.deep
        } else {
            random.random_range(1..=reader.pages())
        }
    }
}

impl Reader {
    /// Full pages.
    fn pages(&self) -> usize {
        self.timeline.len() / LIMIT as usize
    }

    fn read(&self, side: Side, page: usize) -> Call {
        let place = pagination::posts_place(&self.timeline, page as u64 * LIMIT as u64);
        let mut path = format!("/users/{}/posts?limit={LIMIT}", self.author);
        match (side, place.after) {
            (Side::Baseline, _) => write!(path, "&offset={}", place.offset),
            (Side::Optimized, Some(after)) => {
                write!(path, "&cursor={}", cursor::encode(&after))
            }
            (Side::Optimized, None) => Ok(()),
        }
        .unwrap_or_default();
        let author = self.author;
        Call::get(
            side,
            &path,
            Box::new(move |body| {
                let shape: Shape = parse(body)?;
                same("rows", &(LIMIT as usize), &shape.posts.len())?;
                match shape.posts.iter().find(|post| post.user_id != author) {
                    Some(post) => Err(format!("a post of {}", post.user_id)),
                    None => Ok(()),
                }
            }),
        )
    }
}

impl Flow for Page {
    fn id(&self) -> FlowId {
        FlowId::Page
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let reader = self.draw(random);
        let page = match side {
            Side::Baseline => self.deep,
            Side::Optimized => self.any(reader, random),
        };
        reader.read(side, page)
    }

    fn compare<'a>(
        &'a self,
        http: &'a Http,
        random: &'a mut ChaCha8Rng,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let reader = self.draw(random);
            let page = self.any(reader, random);
            let asked = format!("page {page} of {}", reader.author);
            let mut sides = Vec::new();
            for side in [Side::Baseline, Side::Optimized] {
                let body: Body = parse(&http.ask(&reader.read(side, page)).await?)?;
                let rows = body.posts.iter().map(|post| (post.created_at, post.id));
                reader
                    .timeline
                    .check((page - 1) * LIMIT as usize, LIMIT as usize, rows)
                    .map_err(|wrong| format!("{asked} on {side}: {wrong}"))?;
                sides.push(body.posts);
            }
            for post in &sides[0] {
                // Of posts of one instant either may stand at the page's border.
                if let Some(other) = sides[1].iter().find(|other| other.id == post.id) {
                    same("post", post, other)
                        .map_err(|difference| format!("{asked}: {difference}"))?;
                }
            }
            Ok(())
        })
    }
}

#[derive(Deserialize)]
struct Body {
    posts: Vec<Post>,
}

/// The fields of an answer without what most of them hold: reading it all would cost the
/// machine more than the answer did.
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
