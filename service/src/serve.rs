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
use verdict_audit::FlowId;

use crate::connections::{self, PATIENCE, in_time, most};
use crate::database::Database;
use crate::databases::Databases;
use crate::error::{Error, Result};
use crate::metrics::{AllRequests, Requests, expose, record};
use crate::refusal::Refusal;
use crate::sides::Sides;
use crate::{feed, health, history, posts, send};

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
    let databases = Arc::new(Databases::new(sides));
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
    let counted: AllRequests = counted.into();
    Router::new()
        .nest("/baseline", baseline)
        .nest("/optimized", optimized)
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

/// The flows of one side. A flow is added here, with a file of its own beside `history`.
fn side(database: &Arc<Database>, counted: &mut Vec<Arc<Requests>>) -> Router {
    let mut timed = |flow| {
        let requests = Arc::new(Requests::new(flow, database.side));
        counted.push(Arc::clone(&requests));
        from_fn_with_state(requests, record)
    };
    let history = get(history::read).layer(timed(FlowId::History));
    let send = post(send::send)
        .layer(DefaultBodyLimit::max(send::MAX_BODY))
        .layer(from_fn(in_time))
        .layer(timed(FlowId::Send));
    let page = get(posts::read).layer(timed(FlowId::Page));
    let feed = get(feed::read).layer(timed(FlowId::Feed));
    Router::new()
        .route(
            "/conversations/{conversation}/messages",
            history.merge(send),
        )
        .route("/users/{user}/posts", page)
        .route("/users/{user}/feed", feed)
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
        "there is nothing at {}: there are /baseline and /optimized, each with \
         /conversations/{{id}}/messages, /users/{{id}}/posts and /users/{{id}}/feed, and /health, /metrics, /empty",
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
