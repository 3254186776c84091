//! `GET /{side}/users/{id}/posts`: item 7.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use verdict_audit::Side;
use verdict_baseline::message_history::MAX_LIMIT;
use verdict_baseline::pagination as baseline;
use verdict_optimized::pagination::{self as optimized, Cursor};

use crate::answers::PostsAnswer;
use crate::cursor::{decode, encode};
use crate::database::Database;
use crate::extract::{Parameters, PathId};
use crate::refusal::Refusal;

/// The page that is served when none is asked for, as in the audit's example.
const DEFAULT_LIMIT: i64 = 20;

/// Whether there is such a user.
pub(crate) const KNOWN: &str = "SELECT EXISTS (SELECT FROM users WHERE id = $1)";

/// A page of an author's posts, newest first: by offset today, by cursor on the optimized side.
/// A page is capped like one of history, which today's statement leaves open.
pub(crate) async fn read(
    State(database): State<Arc<Database>>,
    PathId(user): PathId,
    parameters: Parameters,
) -> Result<Json<PostsAnswer>, Refusal> {
    let page = match database.side {
        Side::Baseline => {
            refuse(
                &parameters,
                "cursor",
                "pages are cut by `offset` on the baseline side, a whole number of posts to skip",
            )?;
            parameters.only(&["limit", "offset"])?;
            let request = baseline::PostsRequest {
                user,
                limit: limit(&parameters)?,
                offset: parameters.number("offset", 0, 0)?,
            };
            let posts = baseline::posts(&database.pool, &request);
            PostsAnswer {
                posts: database.answer(posts).await?,
                next: None,
            }
        }
        Side::Optimized => {
            refuse(
                &parameters,
                "offset",
                "pages are found by `cursor` on the optimized side: pass `next` of the page \
                 before, or none for the first page",
            )?;
            parameters.only(&["limit", "cursor"])?;
            let request = optimized::PostsRequest {
                user,
                limit: limit(&parameters)?,
                after: parameters
                    .get("cursor")
                    .map(decode)
                    .transpose()
                    .map_err(|bad| Refusal::bad_request(bad.to_string()))?,
            };
            let posts = optimized::posts(&database.pool, &request);
            let posts = database.answer(posts).await?;
            // A page that is not full is the last one. A full one may be, and then the next is
            // empty, which costs less than reading a row too many each time.
            let full = posts.len() as i64 == request.limit;
            let next = posts.last().filter(|_| full).map(Cursor::from);
            PostsAnswer {
                next: next.as_ref().map(encode),
                posts,
            }
        }
    };
    if page.posts.is_empty() {
        database.known(KNOWN, "user", user).await?;
    }
    Ok(Json(page))
}

fn limit(parameters: &Parameters) -> Result<i64, Refusal> {
    Ok(parameters.number("limit", 1, DEFAULT_LIMIT)?.min(MAX_LIMIT))
}

/// The other side's way to say where a page begins.
fn refuse(parameters: &Parameters, name: &str, instead: &str) -> Result<(), Refusal> {
    match parameters.get(name) {
        None => Ok(()),
        Some(_) => Err(Refusal::bad_request(instead)),
    }
}
