//! Writes into what a flow reads, so that an answer that was right a moment ago is wrong: before
//! each window, and in the middle of it while the service is loaded. They are taken back before
//! the side's next window, and at the end.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use verdict_audit::{FlowId, Side};
use verdict_oracle::Write;
use verdict_oracle::write::apply;

use crate::databases::{Databases, subjects};
use crate::error::{Error, Result};
use crate::flows::Flow;
use crate::moments::{Right, Truth, into};
use crate::per_side::{PerSide, SIDES};

/// Writes before each window.
const BEFORE: usize = 8;

/// Writes while it is open.
const AMID: usize = 4;

/// The random stream of what is written.
const STREAM: u64 = 1 << 32;

/// What was written to either side and not taken back yet.
#[derive(Debug)]
pub(crate) struct Changes {
    truth: Truth,
    /// The service's databases, where there is access to them.
    databases: Option<Databases>,
    made: PerSide<Mutex<Vec<Write>>>,
    /// What will be written in the middle of the next window.
    planned: Mutex<Vec<(Write, Right)>>,
    random: Mutex<ChaCha8Rng>,
}

impl Changes {
    /// Of a service with these databases, none of which is written to when there is no access.
    pub fn new(truth: &Truth, databases: Option<Databases>, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM);
        Self {
            truth: truth.clone(),
            databases,
            made: PerSide::default(),
            planned: Mutex::default(),
            random: Mutex::new(random),
        }
    }

    /// What is written into what a flow reads, in words that stand in the report beside the
    /// figures.
    pub fn about(&self, flow: &dyn Flow) -> String {
        match (&self.databases, flow.id()) {
            (None, _) => "nothing else written there meanwhile, since its databases are out of \
                          reach, so that a stale answer may pass"
                .to_owned(),
            (Some(_), FlowId::Send) => format!("{BEFORE} messages of others before each window"),
            (Some(_), _) => {
                format!("{BEFORE} writes into them before each window and {AMID} in the middle")
            }
        }
    }

    /// Takes back what was written to a side, and writes anew what a flow reads. Nothing may be
    /// on its way.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn renew(&self, side: Side, flow: &dyn Flow) -> Result<()> {
        let Some(databases) = &self.databases else {
            return Ok(());
        };
        let mut random = lock(&self.random).clone();
        let before = draw(flow, &self.truth.world, (BEFORE, false), &mut random);
        let last = match before.last() {
            Some((_, right)) => right.clone(),
            None => self.truth.world.clone(),
        };
        // Drawn while nothing is timed.
        let amid = draw(flow, &last, (AMID, true), &mut random);
        *lock(&self.random) = random;
        *lock(&self.planned) = amid;
        let moments = self.truth.of(side);
        moments.begin(last);
        self.undo(side, databases).await?;
        for (write, _) in before {
            self.make(side, databases, write).await?;
        }
        moments.settle();
        Ok(())
    }

    /// Writes to a side at an instant of a window, while requests to it are on their way.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn amid(&self, side: Side, at: Instant) -> Result<()> {
        let planned = std::mem::take(&mut *lock(&self.planned));
        let Some(databases) = &self.databases else {
            return Ok(());
        };
        tokio::time::sleep_until(at.into()).await;
        let moments = self.truth.of(side);
        for (write, right) in planned {
            moments.begin(right);
            self.make(side, databases, write).await?;
            moments.settle();
        }
        Ok(())
    }

    /// Takes back what was written to both sides: all that can be, also when some cannot.
    ///
    /// # Errors
    /// When a database refuses, or is away.
    pub async fn take_back(&self) -> Result<()> {
        let Some(databases) = &self.databases else {
            return Ok(());
        };
        let mut taken = Ok(());
        for side in SIDES {
            let moments = self.truth.of(side);
            moments.begin(self.truth.world.clone());
            taken = taken.and(self.undo(side, databases).await);
            moments.settle();
        }
        taken
    }

    async fn make(&self, side: Side, databases: &Databases, write: Write) -> Result<()> {
        // Noted before, since one that fails may have been made.
        lock(self.made.of(side)).push(write.clone());
        write_to(side, databases, &write).await
    }

    /// The last first, since a row may have been written to twice.
    async fn undo(&self, side: Side, databases: &Databases) -> Result<()> {
        let made = std::mem::take(&mut *lock(self.made.of(side)));
        let mut undone = Ok(());
        for write in made.into_iter().rev() {
            undone = undone.and(write_to(side, databases, &write.back()).await);
        }
        undone
    }
}

async fn write_to(side: Side, databases: &Databases, write: &Write) -> Result<()> {
    let made = apply(databases.of(side), write);
    let made = databases.around(side, &subjects(write), made).await;
    made.map_err(Error::Database)
}

/// Writes one after the other, with what is right after each. When they are made while the
/// service is asked, no two go into one conversation or author, so that a page has one of two
/// states, however many statements read it.
fn draw(
    flow: &dyn Flow,
    from: &Right,
    (most, asked): (usize, bool),
    random: &mut ChaCha8Rng,
) -> Vec<(Write, Right)> {
    let mut written = HashSet::new();
    let mut right = from.clone();
    let mut writes = Vec::new();
    for _ in 0..most {
        if let Some(write) = flow.change(&right.oracle, random)
            && (!asked || flow.takes_amid(&write) && written.insert(into(&write)))
        {
            right = right.with(&write);
            writes.push((write, right.clone()));
        }
    }
    writes
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
