//! What was sent, held to what is stored, and taken back, so that conversations stay as large as
//! the audit's target says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use verdict_audit::Side;
use verdict_optimized::cache::Subject;
use verdict_oracle::Held;

use crate::databases::Databases;
use crate::error::{Error, Result};
use crate::flows::Flow;
use crate::flows::call::Call;
use crate::flows::keeper::{Acknowledged, Answer, Keeper, Leaves, Sending};
use crate::per_side::{PerSide, SIDES};

/// What was sent to either side and not taken back yet.
#[derive(Debug, Default)]
pub(crate) struct SentLog {
    sent: PerSide<Mutex<Vec<Sending>>>,
    /// Who keeps account of it: one flow sends at a time.
    keeper: Mutex<Option<Arc<dyn Keeper>>>,
    /// The service's databases, where there is access to them.
    databases: Option<Databases>,
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
    pub fn new(databases: Option<Databases>) -> Self {
        Self {
            databases,
            ..Self::default()
        }
    }

    /// Whether what is sent can be read and taken back.
    pub fn restores(&self) -> bool {
        self.databases.is_some()
    }

    /// Notes that a request leaves, and what it leaves behind: before it is sent, since one whose
    /// answer never comes may have arrived.
    pub fn leaving(&self, call: &Call) -> Option<Ticket> {
        call.due.leave();
        let Leaves { message, keeper } = call.leaves.clone()?;
        *lock(&self.keeper) = Some(keeper);
        let mut sent = self.of(call.side);
        sent.push(Sending {
            message,
            began: Instant::now(),
            answer: None,
            late: false,
        });
        Some(Ticket(sent.len() - 1))
    }

    /// Notes the answer to it, when that says whether it is stored.
    pub fn answered(&self, ticket: Option<Ticket>, side: Side, status: u16, body: &[u8]) {
        let answer = match status {
            200..=299 => Answer::Acknowledged(Acknowledged {
                at: Instant::now(),
                body: body.into(),
            }),
            400..=407 | 409..=428 | 430..=499 => Answer::Refused,
            _ => return,
        };
        if let Some(Ticket(place)) = ticket
            && let Some(sending) = self.of(side).get_mut(place)
        {
            sending.answer = Some(answer);
        }
    }

    /// Requests that send some of what was acknowledged once more.
    pub fn again(&self, side: Side, flow: &dyn Flow) -> Vec<Call> {
        flow.again(side, &self.of(side))
    }

    /// Holds everything of one side that was sent to what is stored, and takes it back. Nothing
    /// may be on its way. Without access to the databases the rows stay, and are not read.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn settle(&self, side: Side) -> Result<Settled> {
        let sent = std::mem::take(&mut *self.of(side));
        let mut settled = Settled {
            sent: sent
                .iter()
                .filter(|sending| !sending.late && !sending.refused())
                .count(),
            held: Vec::new(),
        };
        if let Some(databases) = &self.databases
            && let Some(keeper) = self.keeper()
            && !sent.is_empty()
        {
            let held = keeper.hold(side, databases.of(side), &sent).await;
            take_back(side, databases, &*keeper, &sent).await?;
            settled.held = held.map_err(Error::Database)?;
        }
        // A message whose answer never came may arrive while the next window is open.
        let unanswered = |sending: &Sending| sending.answer.is_none() && !sending.late;
        self.of(side)
            .extend(sent.into_iter().filter(unanswered).map(|sending| Sending {
                late: true,
                ..sending
            }));
        Ok(settled)
    }

    /// Takes everything of both sides back, unread: of one side also when the other's cannot be.
    ///
    /// # Errors
    /// When a database refuses, or is away.
    pub async fn take_back(&self) -> Result<()> {
        let mut taken = Ok(());
        for side in SIDES {
            let sent = std::mem::take(&mut *self.of(side));
            if let Some(databases) = &self.databases
                && let Some(keeper) = self.keeper()
                && !sent.is_empty()
            {
                taken = taken.and(take_back(side, databases, &*keeper, &sent).await);
            }
        }
        taken
    }

    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        lock(&self.keeper).clone()
    }

    fn of(&self, side: Side) -> MutexGuard<'_, Vec<Sending>> {
        lock(self.sent.of(side))
    }
}

async fn take_back(
    side: Side,
    databases: &Databases,
    keeper: &dyn Keeper,
    sent: &[Sending],
) -> Result<()> {
    let conversations: BTreeSet<_> = sent.iter().map(|one| one.message.conversation).collect();
    let subjects: Vec<_> = conversations
        .into_iter()
        .map(Subject::Conversation)
        .collect();
    let back = keeper.take_back(databases.of(side), sent);
    let back = databases.around(side, &subjects, back).await;
    back.map_err(Error::Database)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
