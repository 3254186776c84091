//! The feed: which pages are asked for, and what a right one is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::feed::{Request, score};
use verdict_baseline::feed_tables::{Candidate, SOURCES};
use verdict_baseline::post_images::PostWithImages;

use crate::difference::{Difference, Held};
use crate::feed_tables::{Asked, TOLERANCE, due, rows_due};
use crate::oracle::Oracle;
use crate::post_images;

/// Posts of a page that are asked for.
const LIMITS: [u64; 5] = [1, 7, 20, 20, 100];

/// A page over every parameter: any reader, also one of no account, any size, any page.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Request {
    let user = match random.random_range(0..12) {
        0 => oracle.nobody(random),
        _ => oracle.world().user(random.random()),
    };
    let limit = *LIMITS.choose(random).unwrap_or(&20);
    let offset = match random.random_range(0..4) {
        0 => limit * random.random_range(1..6),
        1 => random.random_range(0..2_000),
        _ => 0,
    };
    Request {
        user,
        limit,
        offset,
    }
}

/// A group of posts whose scores are one: they may change places.
#[derive(Debug, Default)]
struct Tied {
    posts: HashSet<Uuid>,
    /// How many of its places are on the page.
    on_page: usize,
}

/// What a page is held to.
#[derive(Debug)]
pub struct Page {
    request: Request,
    groups: Vec<Tied>,
    /// Posts that may be shown, with their authors.
    authors: HashMap<Uuid, Uuid>,
    /// Whether a source is cut between equal scores, so that either may be among its candidates.
    open: bool,
}

impl Page {
    /// What is due, before anything is hidden, of a job whose clock was so many seconds ahead of
    /// the world's.
    pub fn of(oracle: &Oracle, request: &Request, ahead: i64) -> Self {
        let asked = Asked {
            ahead,
            request: request.candidates(),
        };
        let mut open = false;
        let mut best: HashMap<Uuid, (f64, Uuid)> = HashMap::new();
        for source in SOURCES {
            let due: Arc<Vec<Candidate>> = due(oracle, source, &asked);
            let rows = rows_due(source, &asked.request, &due);
            let last = rows.checked_sub(1).and_then(|last| due.get(last));
            if let (Some(last), Some(next)) = (last, due.get(rows)) {
                open |= near(last.combined_score, next.combined_score);
            }
            // Those that are as good as the last belong to it as well as any.
            let may = due.iter().enumerate().take_while(|(place, row)| {
                let as_good =
                    last.is_some_and(|last| near(last.combined_score, row.combined_score));
                *place < rows || as_good
            });
            for (_, row) in may {
                let entry = best.entry(row.post_id).or_insert((f64::MIN, row.author_id));
                entry.0 = entry.0.max(score(row));
            }
        }
        let mut ranked: Vec<(f64, Uuid)> = best
            .iter()
            .map(|(post, (score, _))| (*score, *post))
            .collect();
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let first = usize::try_from(request.offset).unwrap_or(usize::MAX);
        let places = first..first.saturating_add(request.limit as usize);
        let mut groups: Vec<Tied> = Vec::new();
        let mut before = f64::NAN;
        for (place, (score, post)) in ranked.into_iter().enumerate() {
            if !near(before, score) {
                groups.push(Tied::default());
            }
            before = score;
            if let Some(group) = groups.last_mut() {
                group.posts.insert(post);
                group.on_page += usize::from(places.contains(&place));
            }
        }
        if !open {
            groups.retain(|group| group.on_page > 0);
        }
        let shown = groups.iter().flat_map(|group| &group.posts);
        let authors = shown.filter_map(|post| Some((*post, best.get(post)?.1)));
        Self {
            request: *request,
            authors: authors.collect(),
            groups,
            open,
        }
    }

    /// The posts that may be shown, with their authors.
    pub fn posts(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.authors.iter().map(|(post, author)| (*post, *author))
    }

    /// Whose post it is.
    pub fn author(&self, post: Uuid) -> Option<Uuid> {
        self.authors.get(&post).copied()
    }

    /// Whether posts are those of the page, in order. A post that is hidden is missing from it.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn hold_ids(
        &self,
        is_hidden: impl Fn(Uuid, Uuid) -> bool,
        shown: impl Iterator<Item = Uuid>,
    ) -> Held {
        let mut at = 0;
        let mut of_group: Vec<HashSet<Uuid>> = self.groups.iter().map(|_| HashSet::new()).collect();
        let mut rows = 0;
        for post in shown {
            rows += 1;
            let ahead = self.groups[at..]
                .iter()
                .position(|group| group.posts.contains(&post));
            let Some(ahead) = ahead else {
                return Err(Difference(format!("{post} is not due in place {rows}")));
            };
            at += ahead;
            if !of_group[at].insert(post) {
                return Err(Difference(format!("{post} is there before")));
            }
        }
        if self.open {
            // Whichever candidates were taken, the page holds no more than was asked for.
            let limit = self.request.limit;
            return match rows > limit {
                true => Err(Difference(format!(
                    "{rows} posts where {limit} were asked for"
                ))),
                false => Ok(()),
            };
        }
        for (group, met) in self.groups.iter().zip(of_group) {
            let hidden = group.posts.iter().filter(|post| {
                let author = self.author(**post);
                author.is_some_and(|author| is_hidden(author, **post))
            });
            let hidden = hidden.count();
            let visible = group.posts.len() - hidden;
            let (least, most) = (
                group.on_page.saturating_sub(hidden),
                group.on_page.min(visible),
            );
            if !(least..=most).contains(&met.len()) {
                let one = group.posts.iter().next();
                return Err(Difference(format!(
                    "{} of the {} posts as good as {one:?} are shown, {least} to {most} are due",
                    met.len(),
                    group.posts.len()
                )));
            }
        }
        Ok(())
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs()
}

/// Whether a page is right: the posts in order, and each as PostgreSQL has it.
///
/// # Errors
/// The first that is wrong.
pub fn hold(oracle: &Oracle, request: &Request, answer: &[PostWithImages]) -> Held {
    hold_ahead(oracle, request, 0, answer)
}

/// The same of a job whose clock was so many seconds ahead of the world's.
///
/// # Errors
/// The first that is wrong.
pub fn hold_ahead(
    oracle: &Oracle,
    request: &Request,
    ahead: i64,
    answer: &[PostWithImages],
) -> Held {
    let ids = answer.iter().map(|post| post.post.id);
    Page::of(oracle, request, ahead)
        .hold_ids(|author, post| is_hidden(oracle, author, post), ids)?;
    for (place, post) in answer.iter().enumerate() {
        hold_post(oracle, post).map_err(|wrong| wrong.at(format!("post {}", place + 1)))?;
    }
    Ok(())
}

/// Whether PostgreSQL shows no such post.
pub fn is_hidden(oracle: &Oracle, author: Uuid, post: Uuid) -> bool {
    let rows = oracle.author(author);
    let post = rows.and_then(|rows| rows.post(post).cloned());
    post.is_none_or(|post| post.soft_delete.is_some())
}

fn hold_post(oracle: &Oracle, post: &PostWithImages) -> Held {
    let asked = [(post.post.user_id, post.post.id)];
    post_images::hold(oracle, &asked, std::slice::from_ref(post))
}
