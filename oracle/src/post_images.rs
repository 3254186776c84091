//! Item 6: which posts are asked for, and what is right of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::pagination::Post;
use verdict_baseline::post_images::PostWithImages;
use verdict_seed::{PostImage, World};

use crate::difference::{Held, same};
use crate::hostile;
use crate::oracle::Oracle;
use crate::turn::Turn;
use crate::write::{Kind, Rows, Write};

/// Posts of a page.
const PAGES: [usize; 4] = [1, 7, 20, 100];

/// A change is later than what it changes.
const LATER: TimeDelta = TimeDelta::seconds(1);

/// A post by the id of its author, or of who would be, and its own.
pub type Asked = (Uuid, Uuid);

/// A row of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Likes, comments and views.
    pub counts: [i32; 3],
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What hangs on a post: its counters, where it has a row of them, and its images.
#[derive(Debug, Clone, PartialEq)]
pub struct Hung {
    /// The counters.
    pub counters: Option<Counters>,
    /// The images, in no order.
    pub images: Vec<PostImage>,
}

impl Hung {
    /// On a post that was made at a time, and to which nothing was done.
    pub(crate) fn nothing(created_at: DateTime<Utc>) -> Self {
        let counters = Counters {
            counts: [0; 3],
            created_at,
            updated_at: created_at,
        };
        Self {
            counters: Some(counters),
            images: Vec::new(),
        }
    }

    /// Where a size is served: of several images the first by time, then by id.
    fn url(&self, size: &str) -> Option<String> {
        self.shown(size)
            .min_by_key(|image| (image.created_at, image.id))
            .and_then(|image| image.url.clone())
    }

    fn shown(&self, size: &str) -> impl Iterator<Item = &PostImage> {
        self.images
            .iter()
            .filter(move |image| image.variant == size && image.status == "completed")
    }

    /// Whether it is out of the ordinary: not three images that are all served.
    fn is_odd(&self) -> bool {
        self.images.len() != 3 || self.images.iter().any(|image| image.url.is_none())
    }
}

/// What hangs on an author's posts, by post.
pub(crate) fn hung(world: &World, author: u64) -> HashMap<Uuid, Arc<Hung>> {
    let author = world.author(author);
    let posts = world.posts(&author);
    let mut images: HashMap<Uuid, Vec<PostImage>> = HashMap::new();
    for image in world.images(&author) {
        images.entry(image.post).or_default().push(image);
    }
    let engagement = world.engagement(&author);
    let each = posts.iter().zip(engagement).map(|(post, engagement)| {
        let counters = Counters {
            counts: [
                engagement.like_count() as i32,
                engagement.comment_count() as i32,
                engagement.views.len() as i32,
            ],
            created_at: post.created_at,
            updated_at: engagement.last().unwrap_or(post.created_at),
        };
        let hung = Hung {
            counters: Some(counters),
            images: images.remove(&post.id).unwrap_or_default(),
        };
        (post.id, Arc::new(hung))
    });
    each.collect()
}

/// Posts of a rung: as many, of any authors, that are there.
pub fn posts(oracle: &Oracle, number: u64, random: &mut impl Rng) -> Vec<Asked> {
    let mut met = HashSet::new();
    std::iter::repeat_with(|| shown(oracle, random))
        .flatten()
        .filter(|(_, post)| met.insert(*post))
        .take(number as usize)
        .collect()
}

fn shown(oracle: &Oracle, random: &mut impl Rng) -> Option<Asked> {
    let author = oracle.world().sample_author(random).id;
    let rows = oracle.author(author)?;
    let place = random.random_range(0..rows.visible().len().max(1));
    let (_, post) = *rows.visible().page(place as i64, 1).first()?;
    Some((author, post))
}

/// Any post: also one that is deleted, has no images or several of one size, and one that nobody
/// has.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Asked {
    let place = random.random_range(0..12);
    let (author, odd) = match place {
        1 => (hostile::tied_author(), false),
        _ => (oracle.world().sample_author(random).id, place < 8),
    };
    if place == 0 {
        return (author, oracle.nobody(random));
    }
    let rows = oracle.author(author);
    let drawn = rows.and_then(|rows| {
        let all = rows
            .rows()
            .filter(|post| !odd || oracle.hung(post).is_odd());
        let mut ids: Vec<Uuid> = all.map(|post| post.id).collect();
        ids.sort_unstable();
        ids.choose(random).copied()
    });
    match drawn {
        Some(post) => (author, post),
        None => (author, oracle.nobody(random)),
    }
}

/// A page of such posts, each once.
pub fn draw_page(oracle: &Oracle, random: &mut impl Rng) -> Vec<Asked> {
    let number = *PAGES.choose(random).unwrap_or(&20);
    let mut page: Vec<Asked> = Vec::with_capacity(number);
    for _ in 0..number {
        let asked = draw(oracle, random);
        if page.iter().all(|(_, post)| *post != asked.1) {
            page.push(asked);
        }
    }
    page
}

/// What is right of a post; none where it is deleted, or nobody's.
pub fn due(oracle: &Oracle, (author, post): Asked) -> Option<PostWithImages> {
    let rows = oracle.author(author)?;
    let row = rows.post(post)?;
    if row.soft_delete.is_some() {
        return None;
    }
    let hung = oracle.hung(row);
    let counts = hung.counters.map_or([0; 3], |counters| counters.counts);
    Some(PostWithImages {
        post: row.as_ref().clone(),
        like_count: counts[0],
        comment_count: counts[1],
        view_count: counts[2],
        metadata_updated_at: hung
            .counters
            .map_or(row.created_at, |counters| counters.updated_at),
        thumbnail_url: hung.url("thumbnail"),
        medium_url: hung.url("medium"),
        original_url: hung.url("original"),
    })
}

/// Whether posts are right: those that are there, whole, in the order in which they were asked
/// for.
///
/// # Errors
/// The first that is wrong.
pub fn hold(oracle: &Oracle, asked: &[Asked], answer: &[PostWithImages]) -> Held {
    let all: Vec<PostWithImages> = asked.iter().filter_map(|post| due(oracle, *post)).collect();
    same("posts", &all.len(), &answer.len())?;
    for (place, (due, answered)) in all.iter().zip(answer).enumerate() {
        same("post", due, answered).map_err(|wrong| wrong.at(format!("row {}", place + 1)))?;
    }
    Ok(())
}

/// A write that makes another answer right for one of these posts.
pub fn between(oracle: &Oracle, asked: &[Asked], random: &mut impl Rng) -> Option<Write> {
    let (author, post) = *asked.choose(random)?;
    let rows = oracle.author(author)?;
    let Some(row) = rows.post(post) else {
        return Write::post(&rows, post, random);
    };
    if row.soft_delete.is_some() {
        return None;
    }
    let before = oracle.hung(row);
    let (kind, after) = match random.random_range(0..8) {
        0 => return Write::on_post(&rows, post, Kind::Edited),
        1 => return Write::on_post(&rows, post, Kind::Deleted),
        2 | 3 => (Kind::Counted, counted(&before, random)),
        _ => (Kind::Served, served(&before, row, random)),
    };
    Some(rehung(kind, (author, post), before, after))
}

/// A write that makes other counters right for one of these posts.
pub fn between_counts(oracle: &Oracle, asked: &[Asked], random: &mut impl Rng) -> Option<Write> {
    let (author, post) = *asked.choose(random)?;
    let rows = oracle.author(author)?;
    let row = rows.post(post).filter(|row| row.soft_delete.is_none())?;
    let before = oracle.hung(row);
    before.counters?;
    let after = counted(&before, random);
    Some(rehung(Kind::Counted, (author, post), before, after))
}

fn rehung(kind: Kind, (author, post): Asked, before: Arc<Hung>, after: Hung) -> Write {
    let turn = Turn::of(before, Arc::new(after));
    Write {
        kind,
        rows: Rows::Hung { post, author, turn },
    }
}

/// Another number of each, or no row of counters at all.
fn counted(before: &Hung, random: &mut impl Rng) -> Hung {
    let counters = before.counters.filter(|_| random.random_range(0..3) > 0);
    Hung {
        counters: counters.map(|counters| Counters {
            counts: counters.counts.map(|count| count + 1),
            updated_at: counters.updated_at + LATER,
            ..counters
        }),
        images: before.images.clone(),
    }
}

/// Another image of some size served: one that comes before all others, one that fails, one whose
/// address is another or none, or one less.
fn served(before: &Hung, post: &Post, random: &mut impl Rng) -> Hung {
    let mut after = before.clone();
    let size = *["thumbnail", "medium", "original"]
        .choose(random)
        .unwrap_or(&"medium");
    let first = |hung: &Hung| {
        let shown = hung.shown(size);
        let first = shown.min_by_key(|image| (image.created_at, image.id));
        first.map(|image| image.id)
    };
    let place = first(before).and_then(|id| after.images.iter().position(|of| of.id == id));
    let Some(place) = place.filter(|_| random.random_range(0..4) > 0) else {
        let earlier = before.images.iter().map(|image| image.created_at).min();
        let created_at = earlier.unwrap_or(post.created_at) - LATER;
        after.images.push(PostImage {
            id: Uuid::from_u128(random.random()),
            post: post.id,
            s3_key: "written between two reads".to_owned(),
            status: "completed",
            variant: size,
            url: Some("https://cdn.example.com/written-between".to_owned()),
            dimensions: None,
            created_at,
            updated_at: created_at,
        });
        return after;
    };
    let image = &mut after.images[place];
    image.updated_at += LATER;
    match random.random_range(0..3) {
        0 if image.url.is_some() => image.status = "failed",
        1 if image.url.is_some() => image.url = None,
        _ => image.url = Some("https://cdn.example.com/moved".to_owned()),
    }
    after
}
