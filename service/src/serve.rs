//! The routes, and the life of the service from its first connection to its last.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::connections::{self, PATIENCE, in_time, most};
use crate::database::Database;
use crate::databases::Databases;
use crate::error::{Error, Result};
use crate::metrics::{AllRequests, Requests, expose, record};
use crate::refusal::Refusal;
use crate::sides::Sides;
use crate::{
    conversation, conversations, feed, health, history, post as one_post, posts, search, send,
};

/// How long requests may go on after the service was told to stop, and then again how long
/// connections to the databases may take to close.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Serves both sides until `shutdown` completes: then no connection is accepted any more, the
/// requests that run are answered, and the connections to the databases are closed.
///
/// # Errors
/// When requests still run 10 s after the shutdown.
pub fn serve(
    listener: TcpListener,
    sides: Sides,
    shutdown: BoxFuture<'static, ()>,
) -> BoxFuture<'static, Result<()>> {
    // Boxed here, so that it is compiled once and not in every program that serves.
    Box::pin(until(listener, sides, shutdown))
}

async fn until(
    listener: TcpListener,
    sides: Sides,
    shutdown: BoxFuture<'static, ()>,
) -> Result<()> {
    let databases = Arc::new(Databases::new(sides)?);
    let (tell, told) = oneshot::channel();
    let served = connections::serve(listener, routes(&databases), most(), PATIENCE, async move {
        shutdown.await;
        let _ = tell.send(());
    });
    let patience = async {
        if told.await.is_ok() {
            tokio::time::sleep(GRACE).await;
        } else {
            std::future::pending().await
        }
    };
    let ended = tokio::select! {
        () = served => Ok(()),
        () = patience => Err(Error::CutOff { seconds: GRACE.as_secs() }),
    };
    // What does not close in time is closed by the end of the process.
    let _ = tokio::time::timeout(GRACE, databases.close()).await;
    ended
}

fn routes(databases: &Arc<Databases>) -> Router {
    let mut counted = Vec::new();
    let baseline = side(&databases.baseline, &mut counted);
    let optimized = side(&databases.optimized, &mut counted);
    // Counted as the side's own.
    let uncached = side(&Arc::new(databases.optimized.uncached()), &mut counted);
    let counted: AllRequests = counted.into();
    Router::new()
        .nest("/baseline", baseline)
        .nest("/optimized", optimized)
        .nest("/optimized/uncached", uncached)
        .route(
            "/health",
            get(health::check).with_state(Arc::clone(databases)),
        )
        .route(
            "/metrics",
            get(expose).with_state((Arc::clone(databases), counted)),
        )
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .fallback(nowhere)
        .method_not_allowed_fallback(no_such_method)
}

/// The routes of one side. A route is added here, with a file of its own beside `history`.
fn side(database: &Arc<Database>, counted: &mut Vec<Arc<Requests>>) -> Router {
    let mut timed = |flow| {
        let known = counted
            .iter()
            .find(|known| known.counts(flow, database.side));
        let requests = match known {
            Some(known) => Arc::clone(known),
            None => Arc::new(Requests::new(flow, database.side)),
        };
        if known.is_none() {
            counted.push(Arc::clone(&requests));
        }
        from_fn_with_state(requests, record)
    };
    let history = get(history::read).layer(timed("history"));
    let send = post(send::send)
        .layer(DefaultBodyLimit::max(send::MAX_BODY))
        .layer(from_fn(in_time))
        .layer(timed("send"));
    let page = get(posts::read).layer(timed("page"));
    let feed = get(feed::read).layer(timed("feed"));
    let search = get(search::read).layer(timed("search"));
    let conversations = get(conversations::read).layer(timed("conversations"));
    let conversation = get(conversation::read).layer(timed("conversation"));
    let one_post = get(one_post::read).layer(timed("post"));
    Router::new()
        .route(
            "/conversations/{conversation}/messages",
            history.merge(send),
        )
        .route("/users/{user}/posts", page)
        .route("/users/{user}/feed", feed)
        .route("/conversations/{conversation}/search", search)
        .route("/conversations/{conversation}", conversation)
        .route("/users/{user}/conversations", conversations)
        .route("/posts/{post}", one_post)
        .with_state(Arc::clone(database))
}

/// As much of a path as an answer repeats.
fn beginning(uri: &Uri) -> &str {
    let path = uri.path();
    let end = path.char_indices().nth(200);
    end.map_or(path, |(end, _)| &path[..end])
}

async fn nowhere(uri: Uri) -> Refusal {
    Refusal::not_found(format!(
        "there is nothing at {}: there are /baseline, /optimized and /optimized/uncached, each with \
         /conversations/{{id}}, its /messages and /search, /users/{{id}}/posts, /users/{{id}}/feed, \
         /users/{{id}}/conversations and /posts/{{id}}, and /health, /metrics, /empty",
        beginning(&uri)
    ))
}

async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    Refusal {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: format!(
            "{method} is not for {}: the header `allow` says what is",
            beginning(&uri)
        ),
    }
}
