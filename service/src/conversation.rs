//! `GET /{side}/conversations/{id}`: item 9's fetch, behind item 13's cache.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::conversation_fetch::{self as baseline, Details};
use verdict_baseline::membership;
use verdict_optimized::cache::Subject;
use verdict_optimized::conversation_fetch as optimized;

use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

/// A conversation, for its members. Who is one is never kept, so that who left is refused at once.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<Json<Details>, Refusal> {
    parameters.only(&["viewer"])?;
    let viewer = parameters.id("viewer")?;
    let member = membership::member(&database.pool, id, viewer);
    database.answer(member).await?;
    let details = match (database.side, &database.cache) {
        (Side::Baseline, _) => database.answer(baseline::fetch(&database.pool, id)).await?,
        (Side::Optimized, None) => {
            let fetch = optimized::fetch(&database.pool, id);
            database.answer(fetch).await?
        }
        (Side::Optimized, Some(cache)) => {
            let fetch = || {
                let pool = database.pool.clone();
                database.heard(async move { optimized::fetch(&pool, id).await })
            };
            let is_nothing = |details: &Details| details.member_count == 0;
            let kept = cache.get_or_fetch(Subject::Conversation(id), is_nothing, fetch);
            database.answer(kept).await?
        }
    };
    Ok(Json(details))
}
