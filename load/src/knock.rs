//! For the tests: the smallest flow, and real services to put it to.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{FlowId, Side};

use crate::flows::{Call, Flow};

/// Asks for a side's name, and wants 204.
#[derive(Debug)]
pub(crate) struct Knock;

impl Flow for Knock {
    fn id(&self) -> FlowId {
        FlowId::History
    }

    fn about(&self) -> &str {
        "a knock"
    }

    fn call(&self, side: Side, _random: &mut ChaCha8Rng) -> Call {
        Call {
            side,
            path: format!("/{side}"),
            body: None,
            status: 204,
            shape: Box::new(|_| Ok(())),
            whole: Box::new(|_| Ok(())),
            read_back: None,
            leaves: None,
        }
    }
}

/// Serves on a free port, after what `before` does with the side's name; the address.
pub(crate) async fn listen<F, R>(before: F) -> String
where
    F: Fn(String) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let handler = move |Path(side): Path<String>| {
        let before = before.clone();
        async move {
            before(side).await;
            StatusCode::NO_CONTENT
        }
    };
    let router = Router::new().route("/{side}", get(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
