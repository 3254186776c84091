//! `GET /health`: whether both databases answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use futures_util::future::join;
use serde_json::{Value, json};

use crate::database::Database;
use crate::databases::Databases;
use crate::refusal::Refusal;

/// Shorter than the pool's own patience: whoever asks for health wants to know now.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks both sides at once.
pub(crate) async fn check(State(databases): State<Arc<Databases>>) -> Result<Json<Value>, Refusal> {
    let sides = databases.each();
    let (baseline, optimized) = join(side(sides[0]), side(sides[1])).await;
    let faults: Vec<String> = [baseline, optimized].into_iter().flatten().collect();
    if faults.is_empty() {
        Ok(Json(json!({ "status": "ok" })))
    } else {
        Err(Refusal::unavailable(faults.join("; ")))
    }
}

async fn side(database: &Database) -> Option<String> {
    match tokio::time::timeout(PATIENCE, database.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(refusal)) => Some(refusal.message),
        Err(_) => Some(format!(
            "the {} database does not answer within {} s",
            database.side,
            PATIENCE.as_secs()
        )),
    }
}
