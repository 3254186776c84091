//! The audit's flows: what is asked of a service under load, drawn from the world, and how its
//! answers are checked.
//!
//! One file per flow. A flow joins by its file and its line in [`flow`]; `feed` will be the
//! fourth.

mod history;
mod page;
mod send;

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_seed::{Conversation, World};

pub use crate::load::http::Http;

/// One user-visible operation: its requests, and what a right answer is.
pub trait Flow: Debug + Send + Sync {
    /// Which one.
    fn id(&self) -> FlowId;

    /// What is asked, in words that stand in the report beside the figures.
    fn about(&self) -> &str;

    /// The next request to one side.
    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call;

    /// Puts one request to both sides and holds their answers to each other and to the world.
    ///
    /// # Errors
    /// The difference in words, with the request.
    fn compare<'a>(
        &'a self,
        http: &'a Http,
        random: &'a mut ChaCha8Rng,
    ) -> BoxFuture<'a, Result<(), String>>;
}

/// Whether an answer's body has the right shape; what is wrong with it otherwise.
pub type Check = Box<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// One request, with what its answer must be.
pub struct Call {
    /// The side it goes to.
    pub side: Side,
    /// Path and query, from the root.
    pub path: String,
    /// The JSON to post; a request without it is a GET.
    pub body: Option<String>,
    /// The status of a right answer.
    pub status: u16,
    /// The shape of a right answer.
    pub check: Check,
    /// The row it leaves behind.
    pub leaves: Option<Sent>,
}

/// A message that was sent and may be taken back.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Where it went.
    pub conversation: Arc<Conversation>,
    /// The message.
    pub id: Uuid,
}

impl Call {
    /// Reads a page.
    fn get(side: Side, path: &str, check: Check) -> Self {
        Self {
            side,
            path: format!("/{side}{path}"),
            body: None,
            status: 200,
            check,
            leaves: None,
        }
    }

    /// Holds an answer to what it must be.
    ///
    /// # Errors
    /// What is wrong with it, with the first words of its body.
    pub fn judge(&self, status: u16, body: &[u8]) -> Result<(), String> {
        let begins = || {
            let text = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            format!("{}: it begins {text:?}", self.path)
        };
        if status != self.status {
            return Err(format!(
                "status {status} instead of {} for {}",
                self.status,
                begins()
            ));
        }
        (self.check)(body).map_err(|wrong| format!("{wrong} for {}", begins()))
    }
}

impl Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("path", &self.path)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// A flow over a world; `None` for a flow that has none yet.
///
/// # Errors
/// What the world lacks for it.
pub fn flow(id: FlowId, world: &World, random: &mut ChaCha8Rng) -> Result<Arc<dyn Flow>, Lacking> {
    Ok(match id {
        FlowId::Send => Arc::new(send::Send::new(world, random)?),
        FlowId::History => Arc::new(history::History::new(world, random)?),
        FlowId::Page => Arc::new(page::Page::new(world)?),
        FlowId::Feed => {
            return Err(Lacking {
                flow: id,
                what: "its ClickHouse items, which are not on trial yet",
            });
        }
    })
}

/// Why a flow cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("flow {flow} lacks {what}: leave it out, or take another scale")]
pub struct Lacking {
    flow: FlowId,
    what: &'static str,
}

/// Reads a body as JSON of a known shape.
fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("an answer of another shape ({error})"))
}
