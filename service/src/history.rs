//! `GET /{side}/conversations/{id}/messages`: item 1.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::message_history::{self as baseline, DEFAULT_LIMIT, MAX_LIMIT, Request};
use verdict_optimized::message_history as optimized;

use crate::answers::HistoryAnswer;
use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

const KNOWN: &str = "SELECT EXISTS (SELECT FROM conversations WHERE id = $1)";

/// A page of a conversation. The viewer is not looked up, as today.
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
    if messages.is_empty() {
        database.known(KNOWN, "conversation", conversation).await?;
    }
    Ok(Json(HistoryAnswer { messages }))
}
