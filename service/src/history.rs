//! `GET /{side}/conversations/{id}/messages`: item 1.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::membership;
use verdict_baseline::message_history::{self as baseline, DEFAULT_LIMIT, MAX_LIMIT, Request};
use verdict_optimized::message_history as optimized;

use crate::answers::HistoryAnswer;
use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

/// A page of a conversation, for its members.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(conversation): PathId,
    parameters: Parameters,
) -> Result<Json<HistoryAnswer>, Refusal> {
    parameters.only(&["viewer", "limit", "offset", "include_recalled"])?;
    let request = Request {
        conversation,
        viewer: parameters.id("viewer")?,
        limit: parameters.number("limit", 1, DEFAULT_LIMIT)?.min(MAX_LIMIT),
        offset: parameters.number("offset", 0, 0)?,
        include_recalled: parameters.flag("include_recalled")?,
    };
    let member = membership::member(&database.pool, conversation, request.viewer);
    database.answer(member).await?;
    let messages = match database.side {
        Side::Baseline => {
            let history = baseline::history(&database.pool, &request);
            database.answer(history).await?
        }
        Side::Optimized => {
            let history = optimized::history(&database.pool, &request);
            database.answer(history).await?
        }
    };
    Ok(Json(HistoryAnswer { messages }))
}
