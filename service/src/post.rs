//! `GET /{side}/posts/{id}`: item 6, behind item 13's cache.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::post_images::{self as baseline, PostWithImages};
use verdict_optimized::cache::Subject;
use verdict_optimized::post_images as optimized;

use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

/// A post with its counters and images.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<Json<PostWithImages>, Refusal> {
    parameters.only(&[])?;
    let post = match (database.side, &database.cache) {
        (Side::Baseline, _) => database.answer(baseline::post(&database.pool, id)).await?,
        (Side::Optimized, None) => {
            let post = optimized::post(&database.pool, id);
            database.answer(post).await?
        }
        (Side::Optimized, Some(cache)) => {
            let fetch = || {
                let pool = database.pool.clone();
                database.heard(async move { optimized::post(&pool, id).await })
            };
            let kept = cache.get_or_fetch(Subject::PostWithImages(id), Option::is_none, fetch);
            database.answer(kept).await?
        }
    };
    let side = database.side;
    post.map(Json)
        .ok_or_else(|| Refusal::not_found(format!("there is no post {id} on the {side} side")))
}
