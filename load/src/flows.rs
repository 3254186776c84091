//! The audit's flows: what is asked of a service under load, drawn from the world, and what a
//! right answer is.
//!
//! One file per flow. A flow joins by its file and its line in [`flow`]; `feed` will be the
//! fourth.

mod history;
mod posts;
mod send;
mod stored;

use std::fmt::{self, Debug, Display};
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_send::Request;
use verdict_oracle::{Difference, Held, Oracle};

/// One user-visible operation: its requests, and what a right answer is.
pub trait Flow: Debug + Send + Sync {
    /// Which one.
    fn id(&self) -> FlowId;

    /// What is asked, in words that stand in the report beside the figures.
    fn about(&self) -> &str;

    /// The next request to one side.
    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call;

    /// Whether its requests leave rows behind.
    fn writes(&self) -> bool {
        false
    }

    /// Holds messages that were sent to what a side's database stores of them; nothing may be on
    /// its way. One word for each that was acknowledged, and some for what else may be there.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    fn hold_sent<'a>(
        &'a self,
        _side: Side,
        _pool: &'a PgPool,
        _sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<Vec<Held>, verdict_store::Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Leaves a side's database as if these messages had never been sent; some of them may not
    /// have arrived.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    fn take_back<'a>(
        &'a self,
        _pool: &'a PgPool,
        _sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<(), verdict_store::Error>> {
        Box::pin(async { Ok(()) })
    }
}

/// Whether an answer's body is right.
pub type Check = Box<dyn Fn(&[u8]) -> Held + Send + Sync>;

/// What to ask next, to see what a right answer's request left behind.
pub type ReadBack = Box<dyn Fn(&[u8]) -> Result<Call, Difference> + Send + Sync>;

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
    /// What every answer is held to: its shape and whose rows it holds, cheaply, since reading
    /// it all would cost the machine more than the answer did.
    pub shape: Check,
    /// What a sample of the answers is held to: the oracle, whole rows.
    pub whole: Check,
    /// How what was left behind is seen; before any timing only.
    pub read_back: Option<ReadBack>,
    /// The message it leaves behind.
    pub leaves: Option<Arc<Request>>,
}

/// A message that was sent.
#[derive(Debug)]
pub struct Sending {
    /// The message.
    pub message: Arc<Request>,
    /// An instant before it was sent.
    pub began: Instant,
    /// The answer that says that it is stored; any other answer, or none, leaves that open.
    pub acknowledged: Option<Acknowledged>,
    /// Whether it is of an earlier window, and may have arrived since.
    pub late: bool,
}

/// An answer that says that a message is stored.
#[derive(Debug)]
pub struct Acknowledged {
    /// An instant after it came.
    pub at: Instant,
    /// What it says.
    pub body: Box<[u8]>,
}

/// Why an answer is not the one that is due.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Amiss {
    /// None came, or one whose status says that something failed: an error.
    #[error("{0}")]
    Failed(String),
    /// It came as if it were right, and is not.
    #[error(transparent)]
    Wrong(#[from] Difference),
}

impl Call {
    /// Reads a page.
    fn get(side: Side, path: &str, shape: Check, whole: Check) -> Self {
        Self {
            side,
            path: format!("/{side}{path}"),
            body: None,
            status: 200,
            shape,
            whole,
            read_back: None,
            leaves: None,
        }
    }

    /// Holds an answer to its status and shape.
    ///
    /// # Errors
    /// What is wrong with it, with the first words of its body.
    pub fn judge(&self, status: u16, body: &[u8]) -> Result<(), Amiss> {
        let begins = || {
            let text = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            format!("{}: it begins {text:?}", self.path)
        };
        if status != self.status {
            let words = format!(
                "status {status} instead of {} for {}",
                self.status,
                begins()
            );
            // A refusal of what is to be had is an answer, and a wrong one. One that the service
            // cannot give, or gives up on, is an error.
            return Err(match status {
                400..=407 | 409..=428 | 430..=499 | 200..=399 => Amiss::Wrong(Difference(words)),
                _ => Amiss::Failed(words),
            });
        }
        (self.shape)(body)
            .map_err(|wrong| Amiss::Wrong(Difference(format!("{wrong} for {}", begins()))))
    }

    /// Holds an answer of the right status to the oracle.
    ///
    /// # Errors
    /// What is wrong with it, with the request.
    pub fn hold(&self, body: &[u8]) -> Held {
        (self.whole)(body).map_err(|wrong| wrong.at(self))
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            None => write!(f, "GET {}", self.path),
            Some(json) => write!(f, "POST {} {json}", self.path),
        }
    }
}

impl Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.to_string()).finish()
    }
}

/// A flow over a world; [`Lacking`] for a flow that has none yet.
///
/// # Errors
/// What the world lacks for it.
pub fn flow(
    id: FlowId,
    oracle: &Arc<Oracle>,
    random: &mut ChaCha8Rng,
) -> Result<Arc<dyn Flow>, Lacking> {
    Ok(match id {
        FlowId::Send => Arc::new(send::Send::new(oracle, random)?),
        FlowId::History => Arc::new(history::History::new(oracle, random)?),
        FlowId::Page => Arc::new(posts::Posts::new(oracle)?),
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
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Difference> {
    serde_json::from_slice(body)
        .map_err(|error| Difference(format!("an answer of another shape ({error})")))
}
