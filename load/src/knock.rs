//! For the tests: the smallest flow, and real services to put it to.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{FlowId, Side};
use verdict_oracle::{Oracle, Write};
use verdict_seed::{Scale, World, WorldSpec};

use crate::changes::Changes;
use crate::flows::Flow;
use crate::flows::call::Call;
use crate::moments::{Due, Truth};

/// Asks for a side's name, and wants 204.
#[derive(Debug)]
pub(crate) struct Knock;

/// What is right of a small world.
static TRUTH: LazyLock<Truth> = LazyLock::new(|| {
    let world = World::new(WorldSpec {
        scale: Scale::Smoke,
        users: Some(20),
        days: None,
        seed: 1,
    });
    Truth::new(Oracle::new(&world))
});

/// Writes of one who has no databases.
pub(crate) fn changes() -> Changes {
    Changes::new(&TRUTH, None, 1)
}

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
            shape: Box::new(|_, _| Ok(())),
            whole: Box::new(|_, _| Ok(())),
            read_back: None,
            leaves: None,
            due: Due::of(TRUTH.of(side)),
            judged: true,
        }
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        Call {
            judged: false,
            ..self.call(side, random)
        }
    }

    fn change(&self, _oracle: &Oracle, _random: &mut ChaCha8Rng) -> Option<Write> {
        None
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
