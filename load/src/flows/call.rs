//! One request, with what its answer must be.

use std::fmt::{self, Debug, Display};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use verdict_audit::Side;
use verdict_oracle::{Difference, Held};

use super::keeper::Leaves;
use crate::moments::{Due, Moments, Right};

/// Whether an answer's body is right at a moment.
pub type Check = Box<dyn Fn(&Right, &[u8]) -> Held + Send + Sync>;

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
    /// What it leaves behind.
    pub leaves: Option<Leaves>,
    /// The moments of the side.
    pub due: Due,
    /// Whether it is the request that the audit's target speaks of. Others are asked while
    /// nothing is measured.
    pub judged: bool,
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
    pub(super) fn get(
        side: Side,
        moments: &Arc<Moments>,
        path: &str,
        shape: Check,
        whole: Check,
    ) -> Self {
        Self {
            side,
            path: format!("/{side}{path}"),
            body: None,
            status: 200,
            shape,
            whole,
            read_back: None,
            leaves: None,
            due: Due::of(moments),
            judged: true,
        }
    }

    /// The same request where it must be refused, in words.
    pub(super) fn refused(self, status: u16) -> Self {
        let words = |body: &[u8]| match parse::<Refusal>(body)?.error.is_empty() {
            true => Err(Difference("a refusal without a word".to_owned())),
            false => Ok(()),
        };
        Self {
            status,
            shape: Box::new(move |_, body| words(body)),
            whole: Box::new(|_, _| Ok(())),
            read_back: None,
            ..self
        }
    }

    /// The same request as one that the audit's target does not speak of.
    pub(super) fn unjudged(self) -> Self {
        Self {
            judged: false,
            ..self
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
        self.due
            .hold(|right| (self.shape)(right, body))
            .map_err(|wrong| Amiss::Wrong(Difference(format!("{wrong} for {}", begins()))))
    }

    /// Holds an answer of the right status to the oracle.
    ///
    /// # Errors
    /// What is wrong with it, with the request.
    pub fn hold(&self, body: &[u8]) -> Held {
        self.due
            .hold(|right| (self.whole)(right, body))
            .map_err(|wrong| wrong.at(self))
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

/// A request that is refused, as the client sees it.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Reads a body as JSON of a known shape.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Difference> {
    serde_json::from_slice(body)
        .map_err(|error| Difference(format!("an answer of another shape ({error})")))
}
