//! `GET /{side}/users/{id}/conversations`: item 9's list.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::conversation_fetch as baseline;
use verdict_optimized::conversation_fetch as optimized;

use crate::answers::ConversationsAnswer;
use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::posts::KNOWN;
use crate::refusal::Refusal;

/// A user's conversations, at most as many as today's list has.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(user): PathId,
    parameters: Parameters,
) -> Result<Json<ConversationsAnswer>, Refusal> {
    parameters.only(&[])?;
    let conversations = match database.side {
        Side::Baseline => {
            database
                .answer(baseline::list(&database.pool, user))
                .await?
        }
        Side::Optimized => {
            let list = optimized::list(&database.pool, user);
            database.answer(list).await?
        }
    };
    if conversations.is_empty() {
        database.known(KNOWN, "user", user).await?;
    }
    Ok(Json(ConversationsAnswer { conversations }))
}
