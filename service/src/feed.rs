//! `GET /{side}/users/{id}/feed`: items 3 to 6, from end to end.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use verdict_audit::Side;
use verdict_baseline::feed::{self as baseline, DEFAULT_LIMIT, MAX_LIMIT, Request};
use verdict_baseline::stages::Stages;
use verdict_optimized::feed as optimized;

use crate::answers::FeedAnswer;
use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

/// What the stages of a page took (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A page of a feed, best first. The reader is not looked up, as today: who is unknown gets what
/// is trending.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(user): PathId,
    parameters: Parameters,
) -> Result<([(HeaderName, String); 1], Json<FeedAnswer>), Refusal> {
    parameters.only(&["limit", "offset"])?;
    let number = |name, least, default| -> Result<u64, Refusal> {
        Ok(parameters.number(name, least, default)?.unsigned_abs())
    };
    let request = Request {
        user,
        limit: number("limit", 1, DEFAULT_LIMIT as i64)?.min(MAX_LIMIT),
        offset: number("offset", 0, 0)?,
    };
    let (pool, clickhouse) = (&database.pool, &database.clickhouse);
    let mut stages = Stages::default();
    let posts = match database.side {
        Side::Baseline => {
            let feed = baseline::feed(pool, clickhouse, &request, &mut stages);
            database.answer(feed).await?
        }
        Side::Optimized => {
            let feed = optimized::feed(pool, clickhouse, &request, &mut stages);
            database.answer(feed).await?
        }
    };
    let timing = [(SERVER_TIMING, stages.to_string())];
    Ok((timing, Json(FeedAnswer { posts })))
}
