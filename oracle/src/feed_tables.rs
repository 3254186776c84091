//! Item 4: who is asked for candidates, and which are right.
//!
//! Computed from the likes, comments and follows that the generator made, by the formulas that
//! the job declares. ClickHouse's exp and ln are not this machine's, so scores may differ by
//! [`TOLERANCE`], and candidates whose scores are that near may change places.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::feed_tables::{Candidate, Request, Source};
use verdict_seed::World;

use crate::difference::{Difference, Held, same};
use crate::events::Events;
use crate::oracle::Oracle;

mod borders;

pub use borders::borders;

/// How far a score may be from the one that is due, as a share of it.
pub const TOLERANCE: f64 = 1e-9;

/// Candidates that are asked for: a page's, the audit's 200, all that are kept, none.
const LIMITS: [u64; 8] = [1, 7, 20, 100, 200, 200, 1_000, 0];

const DAY: i64 = 86_400;

/// Days whose posts are candidates at the most, and one more for clocks that are ahead.
const RECENT: i64 = 31 * DAY;

/// Which posts a source takes, how it scores them, and how many it keeps.
struct SourceRule {
    days: i64,
    freshness: f64,
    engagement: f64,
    affinity: f64,
    kept: usize,
}

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

/// A post of the last days with what stands of its likes and comments.
#[derive(Debug, Clone, Copy)]
struct Recent {
    id: Uuid,
    created_at: i64,
    likes: u32,
    comments: u32,
}

/// What candidates are computed from.
#[derive(Debug)]
pub(crate) struct FeedRows {
    world: World,
    events: Events,
    by_author: HashMap<Uuid, Vec<Recent>>,
    /// What is trending by each clock that was asked for.
    trending: Mutex<HashMap<i64, Arc<Vec<Candidate>>>>,
}

impl FeedRows {
    pub fn of(world: &World, events: Events) -> Self {
        let since = world.clock().timestamp() - RECENT;
        let mut by_author: HashMap<Uuid, Vec<Recent>> = HashMap::new();
        for (id, post) in events.posts().filter(|(_, post)| !post.deleted) {
            let created_at = i64::from(post.created_at);
            if created_at < since {
                continue;
            }
            let counts = events.counts(id, 0);
            by_author.entry(post.author).or_default().push(Recent {
                id,
                created_at,
                likes: counts.likes as u32,
                comments: counts.comments as u32,
            });
        }
        Self {
            world: world.clone(),
            events,
            by_author,
            trending: Mutex::default(),
        }
    }

    /// All candidates of a source for a reader by a clock so many seconds ahead of the world's,
    /// best first, before any is cut.
    pub fn due(&self, source: Source, user: Uuid, ahead: i64) -> Arc<Vec<Candidate>> {
        let clock = self.world.clock().timestamp() + ahead;
        if source == Source::Trending {
            return self.trending(clock);
        }
        let since = (clock - 90 * DAY) as u32;
        let near: BTreeMap<Uuid, f64> = self
            .events
            .affinity(user, since)
            .into_iter()
            .map(|near| (near.author, near.counts.weighed(1.0, 1.5)))
            .collect();
        let authors: Vec<(Uuid, f64)> = match source {
            Source::Followees => {
                let followees = self.events.followees(user).into_iter();
                followees
                    .map(|author| (author, near.get(&author).copied().unwrap_or_default()))
                    .collect()
            }
            _ => near.into_iter().collect(),
        };
        let due = authors
            .into_iter()
            .flat_map(|(author, affinity)| self.of_author(source, author, affinity, clock))
            .collect();
        Arc::new(best_first(due))
    }

    fn trending(&self, clock: i64) -> Arc<Vec<Candidate>> {
        let mut known = self.trending.lock().unwrap_or_else(PoisonError::into_inner);
        let due = known.entry(clock).or_insert_with(|| {
            let authors = self.by_author.keys();
            let due = authors
                .flat_map(|author| self.of_author(Source::Trending, *author, 0.0, clock))
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
        source: Source,
        author_id: Uuid,
        affinity: f64,
        clock: i64,
    ) -> impl Iterator<Item = Candidate> {
        let rule = SourceRule::of(source);
        let since = clock - rule.days * DAY;
        let posts = self.by_author.get(&author_id).into_iter().flatten();
        posts
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

/// What is asked, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// By how many seconds the job's clock was ahead of the world's.
    pub ahead: i64,
    /// The request.
    pub request: Request,
}

/// A request as it is measured: about the audit's 200 candidates for some reader. What is trending
/// is the same for everybody, so the number varies a little: an answer to another request is
/// another one.
pub fn at(oracle: &Oracle, random: &mut impl Rng) -> Asked {
    Asked {
        ahead: 0,
        request: Request {
            user: oracle.world().user(random.random()),
            limit: random.random_range(191..=200),
        },
    }
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
    oracle.feed().due(source, asked.request.user, asked.ahead)
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
            Some(whole) => near(
                "score in order",
                in_order.combined_score,
                row.combined_score,
            )
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
