//! The feed, from end to end, as it is today: candidates of three sources are ranked together,
//! and the page's posts are read from PostgreSQL with their counters and images.
//!
//! Where today leaves something open, one rule holds for every variant: a post that comes from
//! two sources is shown once, where it ranks best. Today takes .1 off every score, which changes
//! no order, and is left out here. The page's posts are read by today's statement for one post,
//! asked for all of them at once; one that is hidden by then is missing from the page.

use std::collections::HashSet;

use clickhouse::Client;
use sqlx::PgPool;
use uuid::Uuid;

use crate::Result;
use crate::feed_candidates::candidates;
use crate::feed_tables::{self, Candidate};
use crate::post_images::{self, PostWithImages};
use crate::stages::Stages;

/// Posts of a page when nothing is asked for, and the most that a page has.
pub const DEFAULT_LIMIT: u64 = 20;
/// See [`DEFAULT_LIMIT`].
pub const MAX_LIMIT: u64 = 100;

/// Candidates of a source at most.
const MOST_CANDIDATES: u64 = 1_000;

/// A page of somebody's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The reader.
    pub user: Uuid,
    /// Posts of the page.
    pub limit: u64,
    /// Posts before it.
    pub offset: u64,
}

impl Request {
    /// How many candidates of each source are asked for: the page's and those before it, and five
    /// times the page's at least.
    pub fn candidates(&self) -> feed_tables::Request {
        let page = self.offset.saturating_add(self.limit);
        let enough = page.max(self.limit.saturating_mul(5));
        feed_tables::Request {
            user: self.user,
            limit: enough.min(MOST_CANDIDATES),
        }
    }
}

/// What candidates are ranked by, all sources together.
pub fn score(candidate: &Candidate) -> f64 {
    0.3 * candidate.freshness_score
        + 0.4 * candidate.engagement_score
        + 0.3 * candidate.affinity_score
}

/// Posts in the order in which they are shown, each once. Of equal scores the one that comes
/// first stays first.
pub fn ranked(mut candidates: Vec<Candidate>) -> Vec<Uuid> {
    candidates.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let mut met = HashSet::new();
    candidates
        .into_iter()
        .map(|candidate| candidate.post_id)
        .filter(|post| met.insert(*post))
        .collect()
}

/// A page of a feed, best first.
pub async fn feed(
    pool: &PgPool,
    client: &Client,
    request: &Request,
    stages: &mut Stages,
) -> Result<Vec<PostWithImages>> {
    let wanted = request.candidates();
    let candidates = stages
        .time("candidates", candidates(client, &wanted))
        .await?;
    let page: Vec<Uuid> = stages
        .time("ranking", async {
            ranked(candidates)
                .into_iter()
                .skip(usize::try_from(request.offset).unwrap_or(usize::MAX))
                .take(usize::try_from(request.limit).unwrap_or(usize::MAX))
                .collect()
        })
        .await;
    stages.time("posts", post_images::page(pool, &page)).await
}
