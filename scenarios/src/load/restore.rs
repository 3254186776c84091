//! Taking back what was sent, so that conversations stay as large as the audit's target says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::Side;
use verdict_seed::Conversation;

use super::error::{Error, Result};
use super::schedule::Sides;
use crate::flows::Sent;
use crate::message_send;

/// Takes messages back, where there is access to the service's databases.
pub trait Restore: Send + Sync {
    /// Leaves a conversation of one side as if these messages had never been sent; some of them
    /// may not have arrived.
    fn take_back<'a>(
        &'a self,
        side: Side,
        conversation: &'a Conversation,
        messages: &'a [Uuid],
    ) -> BoxFuture<'a, crate::Result<()>>;
}

/// The databases of both sides.
#[derive(Debug, Clone)]
pub struct Pools {
    /// Today's.
    pub baseline: PgPool,
    /// The one with every fix.
    pub optimized: PgPool,
}

impl Restore for Pools {
    fn take_back<'a>(
        &'a self,
        side: Side,
        conversation: &'a Conversation,
        messages: &'a [Uuid],
    ) -> BoxFuture<'a, crate::Result<()>> {
        let pool = match side {
            Side::Baseline => &self.baseline,
            Side::Optimized => &self.optimized,
        };
        Box::pin(message_send::unsend(pool, conversation, messages))
    }
}

/// What was sent to either side and not taken back yet.
#[derive(Default)]
pub(super) struct SentLog(Sides<Mutex<Vec<Sent>>>);

impl SentLog {
    fn of(&self, side: Side) -> MutexGuard<'_, Vec<Sent>> {
        self.0
            .of(side)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a message before it is sent, since one whose answer never comes may have arrived.
    pub fn note(&self, side: Side, sent: &Sent) {
        self.of(side).push(sent.clone());
    }

    /// Takes everything of one side back; how many messages that were. Without a hook the rows
    /// stay.
    pub async fn take_back(&self, side: Side, restore: Option<&dyn Restore>) -> Result<usize> {
        let sent = std::mem::take(&mut *self.of(side));
        let Some(restore) = restore else {
            return Ok(sent.len());
        };
        let mut by_conversation: HashMap<Uuid, (Arc<Conversation>, Vec<Uuid>)> = HashMap::new();
        let count = sent.len();
        for Sent { conversation, id } in sent {
            by_conversation
                .entry(conversation.id)
                .or_insert_with(|| (conversation, Vec::new()))
                .1
                .push(id);
        }
        for (conversation, messages) in by_conversation.values() {
            restore
                .take_back(side, conversation, messages)
                .await
                .map_err(Error::Restore)?;
        }
        Ok(count)
    }
}
