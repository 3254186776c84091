//! What was sent, held to what is stored, and taken back, so that conversations stay as large as
//! the audit's target says.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sqlx::PgPool;
use verdict_audit::Side;
use verdict_oracle::Held;

use crate::error::{Error, Result};
use crate::flows::{Acknowledged, Call, Flow, Sending};
use crate::per_side::{PerSide, SIDES};

/// What was sent to either side and not taken back yet.
#[derive(Debug, Default)]
pub(crate) struct SentLog {
    sent: PerSide<Mutex<Vec<Sending>>>,
    /// The service's databases, where there is access to them.
    databases: Option<PerSide<PgPool>>,
}

/// The place of a sending in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(usize);

/// What became of a window's messages.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Messages that were sent.
    pub sent: usize,
    /// Whether each that was acknowledged is stored as it was sent, and nothing else is.
    pub held: Vec<Held>,
}

impl SentLog {
    /// Of a service with these databases.
    pub fn new(databases: Option<PerSide<PgPool>>) -> Self {
        Self {
            databases,
            ..Self::default()
        }
    }

    /// Whether what is sent can be read and taken back.
    pub fn restores(&self) -> bool {
        self.databases.is_some()
    }

    /// Notes what a request leaves behind before it is sent, since one whose answer never comes
    /// may have arrived.
    pub fn leaving(&self, call: &Call) -> Option<Ticket> {
        let message = call.leaves.clone()?;
        let mut sent = self.of(call.side);
        sent.push(Sending {
            message,
            began: Instant::now(),
            acknowledged: None,
            late: false,
        });
        Some(Ticket(sent.len() - 1))
    }

    /// Notes the answer to it, when that says that it is done.
    pub fn answered(&self, call: &Call, ticket: Option<Ticket>, status: u16, body: &[u8]) {
        if let Some(Ticket(place)) = ticket
            && status == call.status
            && let Some(sending) = self.of(call.side).get_mut(place)
        {
            sending.acknowledged = Some(Acknowledged {
                at: Instant::now(),
                body: body.into(),
            });
        }
    }

    /// Holds everything of one side that was sent to what is stored, and takes it back, as the
    /// flow that sent it knows how. Nothing may be on its way. Without access to the databases
    /// the rows stay, and are not read.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn settle(&self, side: Side, flow: &dyn Flow) -> Result<Settled> {
        let sent = std::mem::take(&mut *self.of(side));
        let mut settled = Settled {
            sent: sent.iter().filter(|sending| !sending.late).count(),
            held: Vec::new(),
        };
        if let Some(databases) = &self.databases
            && !sent.is_empty()
        {
            let pool = databases.of(side);
            let held = flow.hold_sent(side, pool, &sent).await;
            flow.take_back(pool, &sent).await.map_err(Error::Database)?;
            settled.held = held.map_err(Error::Database)?;
        }
        // A message whose answer never came may arrive while the next window is open.
        let unanswered = |sending: &Sending| sending.acknowledged.is_none() && !sending.late;
        self.of(side)
            .extend(sent.into_iter().filter(unanswered).map(|sending| Sending {
                late: true,
                ..sending
            }));
        Ok(settled)
    }

    /// Takes everything of both sides back, unread.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn take_back(&self, flow: &dyn Flow) -> Result<()> {
        for side in SIDES {
            let sent = std::mem::take(&mut *self.of(side));
            if let Some(databases) = &self.databases
                && !sent.is_empty()
            {
                flow.take_back(databases.of(side), &sent)
                    .await
                    .map_err(Error::Database)?;
            }
        }
        Ok(())
    }

    fn of(&self, side: Side) -> MutexGuard<'_, Vec<Sending>> {
        self.sent
            .of(side)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
