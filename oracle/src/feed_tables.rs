//! Item 4: who is asked for candidates, and which are right.
//!
//! Computed from the likes, comments and follows that the generator made, by the formulas that
//! the job declares. ClickHouse's exp and ln are not this machine's, so scores may differ by
//! [`TOLERANCE`], and candidates whose scores are that near may change places.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::feed_tables::{Candidate, Request, Source};
use verdict_seed::{Cut, Interaction, World};

use crate::difference::{Difference, Held, same};
use crate::oracle::Oracle;

/// How far a score may be from the one that is due, as a share of it.
pub const TOLERANCE: f64 = 1e-9;

/// Candidates that are asked for: a page's, the audit's 200, all that are kept, none.
const LIMITS: [u64; 8] = [1, 7, 20, 100, 200, 200, 1_000, 0];

const DAY: i64 = 86_400;

/// Days whose posts are candidates at the most, and one more for clocks that are ahead.
const RECENT: i64 = 31 * DAY;

impl SourceRule {
    const fn of(source: Source) -> Self {
        match source {
            Source::Followees => Self {
                days: 30,
                freshness: 0.35,
                engagement: 0.4,
                affinity: 0.25,
                kept: 500,
            },
            Source::Trending => Self {
                days: 14,
                freshness: 0.5,
                engagement: 0.5,
                affinity: 0.0,
                kept: 1_000,
            },
            Source::Affinity => Self {
                days: 30,
                freshness: 0.2,
                engagement: 0.4,
                affinity: 0.4,
                kept: 300,
            },
        }
    }
}

/// Which posts a source takes, how it scores them, and how many it keeps.
struct SourceRule {
    days: i64,
    freshness: f64,
    engagement: f64,
    affinity: f64,
    kept: usize,
}

/// A post of the last days with what stands of its likes and comments.
#[derive(Debug, Clone, Copy)]
struct Recent {
    id: Uuid,
    created_at: i64,
    likes: u32,
    comments: u32,
}

/// A like or a comment, by whom it was made for whom.
#[derive(Debug, Clone, Copy)]
struct Done {
    author: u32,
    at: u32,
    weight: f32,
}

/// What candidates are computed from, of one world or of the part of it that a rung holds.
#[derive(Debug)]
pub struct FeedRows {
    users: HashMap<Uuid, u32>,
    /// By author.
    posts: Vec<Vec<Recent>>,
    /// By reader.
    done: Vec<Vec<Done>>,
    /// What is trending by each clock that was asked for.
    trending: Mutex<HashMap<i64, Arc<Vec<Candidate>>>>,
}

impl FeedRows {
    /// The rows of a part of the world; none where there is no such part.
    pub(crate) fn of(world: &World, cut: Option<Cut>) -> Self {
        let keeps = |post| cut.is_some_and(|cut| cut.keeps(post));
        let now = world.clock().timestamp();
        let users = world.users() as usize;
        let mut rows = Self {
            users: (0..world.users())
                .map(|index| (world.user(index), index as u32))
                .collect(),
            posts: Vec::with_capacity(users),
            done: vec![Vec::new(); users],
            trending: Mutex::default(),
        };
        for author in 0..world.users() {
            let mut recent = Vec::new();
            let posts = world.interactions(author).into_iter();
            for post in posts.filter(|post| !post.deleted && keeps(post.post)) {
                let standing = |of: &[Interaction]| {
                    of.iter().filter(|done| !done.removed).count() as u32
                };
                let created_at = i64::from(post.created_at);
                if created_at >= now - RECENT {
                    recent.push(Recent {
                        id: post.post,
                        created_at,
                        likes: standing(&post.likes),
                        comments: standing(&post.comments),
                    });
                }
                for (of, weight) in [(&post.likes, 1.0), (&post.comments, 1.5)] {
                    for done in of.iter().filter(|done| !done.removed) {
                        rows.done[done.user as usize].push(Done {
                            author: author as u32,
                            at: done.at,
                            weight,
                        });
                    }
                }
            }
            rows.posts.push(recent);
        }
        rows
    }

    /// All candidates of a source for a reader by a clock, best first, before any is cut.
    pub fn due(&self, world: &World, source: Source, user: Uuid, clock: i64) -> Arc<Vec<Candidate>> {
        if source == Source::Trending {
            return self.trending(world, clock);
        }
        let Some(&index) = self.users.get(&user) else {
            return Arc::default();
        };
        let mut affinity: HashMap<u32, f64> = HashMap::new();
        for done in &self.done[index as usize] {
            if i64::from(done.at) >= clock - 90 * DAY {
                *affinity.entry(done.author).or_default() += f64::from(done.weight);
            }
        }
        let mut authors: Vec<(u32, f64)> = match source {
            Source::Followees => world
                .followees(index.into())
                .iter()
                .filter_map(|followee| self.users.get(followee))
                .map(|author| (*author, affinity.get(author).copied().unwrap_or_default()))
                .collect(),
            _ => affinity.into_iter().collect(),
        };
        authors.sort_unstable_by_key(|(author, _)| *author);
        let due = authors
            .into_iter()
            .flat_map(|(author, affinity)| self.of_author(world, source, author, affinity, clock))
            .collect();
        Arc::new(best_first(due))
    }

    fn trending(&self, world: &World, clock: i64) -> Arc<Vec<Candidate>> {
        let mut known = self.trending.lock().unwrap_or_else(PoisonError::into_inner);
        let due = known.entry(clock).or_insert_with(|| {
            let authors = 0..self.posts.len() as u32;
            let due = authors
                .flat_map(|author| self.of_author(world, Source::Trending, author, 0.0, clock))
                .collect();
            let mut due = best_first(due);
            // Those beyond are never asked for; a few more than are kept, in case scores are near.
            due.truncate(2 * SourceRule::of(Source::Trending).kept);
            Arc::new(due)
        });
        Arc::clone(due)
    }

    fn of_author(
        &self,
        world: &World,
        source: Source,
        author: u32,
        affinity: f64,
        clock: i64,
    ) -> impl Iterator<Item = Candidate> {
        let rule = SourceRule::of(source);
        let author_id = world.user(author.into());
        let since = clock - rule.days * DAY;
        self.posts[author as usize]
            .iter()
            .filter(move |post| post.created_at >= since)
            .map(move |post| {
                let age = (clock - post.created_at) as f64;
                let freshness = (-0.0025 * age / 60.0).exp();
                let engagement = f64::from(1 + post.likes + 2 * post.comments).ln();
                let score = rule.freshness * freshness + rule.engagement * engagement;
                Candidate {
                    post_id: post.id,
                    author_id,
                    likes: post.likes,
                    comments: post.comments,
                    shares: 0,
                    impressions: 5 * post.likes + 10 * post.comments + 10,
                    freshness_score: freshness,
                    engagement_score: engagement,
                    affinity_score: affinity,
                    combined_score: score + rule.affinity * affinity,
                    created_at: DateTime::<Utc>::UNIX_EPOCH
                        + chrono::TimeDelta::seconds(post.created_at),
                }
            })
    }
}

fn best_first(mut due: Vec<Candidate>) -> Vec<Candidate> {
    due.sort_unstable_by(|a, b| {
        let by_score = b.combined_score.total_cmp(&a.combined_score);
        by_score.then_with(|| a.post_id.cmp(&b.post_id))
    });
    due
}

/// What is asked, and of which part of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The rung whose posts there are.
    pub rung: u64,
    /// By how many seconds the job's clock was ahead of the world's.
    pub ahead: i64,
    /// The request.
    pub request: Request,
}

/// A request as it is measured: the audit's 200 candidates for some reader.
pub fn at(oracle: &Oracle, rung: u64, random: &mut impl Rng) -> Asked {
    Asked {
        rung,
        ahead: 0,
        request: Request {
            user: oracle.world().user(random.random()),
            limit: 200,
        },
    }
}

/// The rung that is the whole world.
pub fn whole(world: &World) -> u64 {
    world.cuts().last().map_or(0, |cut| cut.events)
}

/// A request over every parameter: any reader, also one of no account, who follows nobody and
/// likes nothing, and every limit.
pub fn draw(oracle: &Oracle, random: &mut impl Rng) -> Asked {
    let user = match random.random_range(0..12) {
        0 => oracle.nobody(random),
        1 => Uuid::nil(),
        _ => oracle.world().user(random.random()),
    };
    Asked {
        rung: whole(oracle.world()),
        ahead: 0,
        request: Request {
            user,
            limit: *LIMITS.choose(random).unwrap_or(&1),
        },
    }
}

/// How many candidates of a source are due.
pub(crate) fn rows_due(source: Source, request: &Request, due: &[Candidate]) -> usize {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    due.len().min(SourceRule::of(source).kept).min(limit)
}

/// Whether the candidates of one source are right: whole rows, each once, best first.
///
/// # Errors
/// The first that is wrong.
pub fn hold(oracle: &Oracle, source: Source, asked: &Asked, answer: &[Candidate]) -> Held {
    let due = due(oracle, source, asked);
    hold_rows(source, &asked.request, &due, answer)
}

/// All candidates that are due before any is cut.
pub(crate) fn due(oracle: &Oracle, source: Source, asked: &Asked) -> Arc<Vec<Candidate>> {
    let world = oracle.world();
    let clock = world.clock().timestamp() + asked.ahead;
    let rows = oracle.feed(asked.rung);
    rows.due(world, source, asked.request.user, clock)
}

pub(crate) fn hold_rows(
    source: Source,
    request: &Request,
    due: &[Candidate],
    answer: &[Candidate],
) -> Held {
    let named = |difference: Difference| difference.at(source.name());
    let rows = rows_due(source, request, due);
    same("candidates", &rows, &answer.len()).map_err(named)?;
    let by_id: HashMap<Uuid, &Candidate> = due.iter().map(|row| (row.post_id, row)).collect();
    let mut met = HashSet::new();
    for (place, (row, in_order)) in answer.iter().zip(due).enumerate() {
        let held = match by_id.get(&row.post_id) {
            None => Err(Difference(format!("{} is no candidate", row.post_id))),
            Some(_) if !met.insert(row.post_id) => {
                Err(Difference(format!("{} is there before", row.post_id)))
            }
            Some(whole) => near("score in order", in_order.combined_score, row.combined_score)
                .and_then(|()| alike(whole, row)),
        };
        held.map_err(|difference| named(difference.at(format!("row {}", place + 1))))?;
    }
    Ok(())
}

fn near(what: &str, due: f64, answered: f64) -> Held {
    if (due - answered).abs() <= TOLERANCE * due.abs() {
        Ok(())
    } else {
        same(what, &due, &answered)
    }
}

fn alike(due: &Candidate, row: &Candidate) -> Held {
    near("freshness", due.freshness_score, row.freshness_score)?;
    near("engagement", due.engagement_score, row.engagement_score)?;
    near("affinity", due.affinity_score, row.affinity_score)?;
    near("combined", due.combined_score, row.combined_score)?;
    let row = Candidate {
        freshness_score: due.freshness_score,
        engagement_score: due.engagement_score,
        affinity_score: due.affinity_score,
        combined_score: due.combined_score,
        ..row.clone()
    };
    same("candidate", due, &row)
}
