//! What was sent, and taking it back, so that conversations stay as large as the audit's target
//! says.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::PgPool;
use verdict_audit::Side;

use crate::error::{Error, Result};
use crate::flows::{Delivery, Flow};
use crate::per_side::PerSide;

/// What was sent to either side and not taken back yet.
#[derive(Debug, Default)]
pub(crate) struct SentLog {
    sent: PerSide<Mutex<Vec<Delivery>>>,
    /// The service's databases, where there is access to them.
    databases: Option<PerSide<PgPool>>,
}

impl SentLog {
    /// Of a service with these databases.
    pub fn new(databases: Option<PerSide<PgPool>>) -> Self {
        Self {
            databases,
            ..Self::default()
        }
    }

    /// Whether what is sent can be taken back.
    pub fn restores(&self) -> bool {
        self.databases.is_some()
    }

    /// Notes a message before it is sent, since one whose answer never comes may have arrived.
    pub fn note(&self, side: Side, sent: Delivery) {
        self.of(side).push(sent);
    }

    /// Takes everything of one side back, as the flow that sent it knows how; how many messages
    /// that were. Without access to the databases the rows stay.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn take_back(&self, side: Side, flow: &dyn Flow) -> Result<usize> {
        let sent = std::mem::take(&mut *self.of(side));
        if let Some(databases) = &self.databases
            && !sent.is_empty()
        {
            flow.take_back(databases.of(side), &sent)
                .await
                .map_err(Error::Restore)?;
        }
        Ok(sent.len())
    }

    fn of(&self, side: Side) -> MutexGuard<'_, Vec<Delivery>> {
        self.sent
            .of(side)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
