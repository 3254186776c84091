//! The databases of a service of ours, and what stands before them.

use std::fmt;
use std::sync::Arc;

use sqlx::PgPool;
use verdict_audit::Side;
use verdict_optimized::cache::{Cache, Limits, Subject};
use verdict_oracle::Write;
use verdict_oracle::write::Rows;
use verdict_service::Sides;

use crate::error::{Error, Result};

/// The databases behind a service. What is written to them past the service is written as another
/// process of the service would: around its cache.
#[derive(Clone)]
pub struct Databases {
    /// Today's.
    pub baseline: PgPool,
    /// The one with every fix.
    pub optimized: PgPool,
    /// The optimized side's cache; without it, what is kept there of what is written to is stale.
    pub cache: Option<Cache>,
}

/// The cache has nothing to show.
impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Databases")
            .field("baseline", &self.baseline)
            .field("optimized", &self.optimized)
            .finish_non_exhaustive()
    }
}

impl Databases {
    /// Those of a service of ours, connected to on first use; to be called in a runtime.
    ///
    /// # Errors
    /// When Redis's address is none.
    pub fn of_service(sides: &Sides) -> Result<Self> {
        let no_cache = |error: String| Error::NoCache { reason: error };
        let redis = sides.optimized.redis.client();
        let redis = redis.map_err(|error| no_cache(error.to_string()))?;
        let cache = Cache::new(&redis, Limits::default(), Arc::default());
        Ok(Self {
            baseline: PgPool::connect_lazy_with(sides.baseline.postgres.clone()),
            optimized: PgPool::connect_lazy_with(sides.optimized.postgres.clone()),
            cache: Some(cache.map_err(|error| no_cache(error.to_string()))?),
        })
    }

    /// The one of a side.
    pub fn of(&self, side: Side) -> &PgPool {
        match side {
            Side::Baseline => &self.baseline,
            Side::Optimized => &self.optimized,
        }
    }

    /// Makes a write of what a side may keep of these subjects.
    pub(crate) async fn around<T>(
        &self,
        side: Side,
        subjects: &[Subject],
        write: impl Future<Output = T>,
    ) -> T {
        match (side, &self.cache) {
            (Side::Optimized, Some(cache)) => cache.around(subjects, write).await,
            _ => write.await,
        }
    }
}

/// What a service keeps that a write makes another.
pub(crate) fn subjects(write: &Write) -> Vec<Subject> {
    match &write.rows {
        Rows::Message { conversation, .. } | Rows::Member { conversation, .. } => {
            vec![Subject::Conversation(*conversation)]
        }
        Rows::Conversation(turn) => {
            let rows = turn.either();
            rows.map(|rows| Subject::Conversation(rows.id))
                .into_iter()
                .collect()
        }
        Rows::Post { turn, .. } => {
            let post = turn.either();
            post.map(|post| Subject::PostWithImages(post.id))
                .into_iter()
                .collect()
        }
        Rows::Hung { post, .. } => vec![Subject::PostWithImages(*post)],
        Rows::Author(turn) => {
            let posts = turn.either().into_iter().flat_map(|rows| rows.rows());
            posts.map(|post| Subject::PostWithImages(post.id)).collect()
        }
        Rows::Delivered(_) => Vec::new(),
    }
}
