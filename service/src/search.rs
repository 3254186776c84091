//! `GET /{side}/conversations/{id}/search`: item 8.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::membership;
use verdict_baseline::message_search::{
    self as baseline, DEFAULT_LIMIT, Found, MAX_LIMIT, Request, Sort,
};
use verdict_optimized::message_search as optimized;

use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

/// The longest text that is looked for, characters; today's statement leaves it open.
const MAX_TEXT: usize = 1_000;

/// A page of the messages of a conversation that hold all the words, for its members.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(conversation): PathId,
    parameters: Parameters,
) -> Result<Json<Found>, Refusal> {
    parameters.only(&["viewer", "q", "limit", "offset", "sort"])?;
    let viewer = parameters.id("viewer")?;
    let request = Request {
        conversation,
        text: text(&parameters)?,
        sort: sort(&parameters)?,
        limit: parameters.number("limit", 1, DEFAULT_LIMIT)?.min(MAX_LIMIT),
        offset: parameters.number("offset", 0, 0)?,
    };
    let member = membership::member(&database.pool, conversation, viewer);
    database.answer(member).await?;
    let found = match database.side {
        Side::Baseline => {
            let search = baseline::search(&database.pool, &request);
            database.answer(search).await?
        }
        Side::Optimized => {
            let search = optimized::search(&database.pool, &request);
            database.answer(search).await?
        }
    };
    Ok(Json(found))
}

fn text(parameters: &Parameters) -> Result<String, Refusal> {
    let text = parameters.get("q").ok_or_else(|| {
        Refusal::bad_request("`q` is missing: it is the words that a message has to hold")
    })?;
    if text.chars().nth(MAX_TEXT).is_some() {
        return Err(Refusal::bad_request(format!(
            "`q` is too long: it is at most {MAX_TEXT} characters"
        )));
    }
    if text.contains('\0') {
        return Err(Refusal::bad_request(
            "`q` has a character of code 0: PostgreSQL holds any text but that",
        ));
    }
    Ok(text.to_owned())
}

fn sort(parameters: &Parameters) -> Result<Sort, Refusal> {
    match parameters.get("sort") {
        None | Some("recent") => Ok(Sort::Recent),
        Some("oldest") => Ok(Sort::Oldest),
        Some("relevance") => Ok(Sort::Relevance),
        Some(text) => Err(Refusal::bad_request(format!(
            "`sort` is {text:?}: it is recent, oldest or relevance"
        ))),
    }
}
