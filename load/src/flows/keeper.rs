//! What a request leaves behind, and who keeps account of it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use sqlx::PgPool;
use verdict_audit::Side;
use verdict_baseline::message_send::Request;
use verdict_oracle::Held;

/// What a request leaves behind. Nothing can be left without one who holds it to what is stored
/// and takes it back.
#[derive(Debug, Clone)]
pub struct Leaves {
    /// The message.
    pub message: Arc<Request>,
    /// Who keeps account of it.
    pub keeper: Arc<dyn Keeper>,
}

/// A message that was sent.
#[derive(Debug)]
pub struct Sending {
    /// The message.
    pub message: Arc<Request>,
    /// An instant before it was sent.
    pub began: Instant,
    /// What was answered, when that says whether it is stored.
    pub answer: Option<Answer>,
    /// Whether it is of an earlier window, and may have arrived since.
    pub late: bool,
}

/// An answer that says whether a message is stored.
#[derive(Debug)]
pub enum Answer {
    /// It is.
    Acknowledged(Acknowledged),
    /// It is not, and never will be.
    Refused,
}

/// An answer that says that a message is stored.
#[derive(Debug)]
pub struct Acknowledged {
    /// An instant after it came.
    pub at: Instant,
    /// What it says.
    pub body: Box<[u8]>,
}

impl Sending {
    /// The answer that says that it is stored.
    pub fn acknowledged(&self) -> Option<&Acknowledged> {
        match &self.answer {
            Some(Answer::Acknowledged(answer)) => Some(answer),
            _ => None,
        }
    }

    /// Whether the answer says that it is not stored.
    pub fn refused(&self) -> bool {
        matches!(self.answer, Some(Answer::Refused))
    }
}

/// Keeps account of the messages of a flow.
pub trait Keeper: Debug + Send + Sync {
    /// Holds messages that were sent to what a side's database stores of them; nothing may be on
    /// its way. One word for each that was answered, and some for what else may be there.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    fn hold<'a>(
        &'a self,
        side: Side,
        pool: &'a PgPool,
        sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<Vec<Held>, verdict_store::Error>>;

    /// Leaves a side's database as if these messages had never been sent; some of them may not
    /// have arrived.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    fn take_back<'a>(
        &'a self,
        pool: &'a PgPool,
        sent: &'a [Sending],
    ) -> BoxFuture<'a, Result<(), verdict_store::Error>>;
}
