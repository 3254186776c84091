//! Writes into what a flow reads, so that an answer that was right a moment ago is wrong: before
//! each window, and in the middle of it while the service is loaded. They are taken back before
//! the side's next window, and at the end.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::Side;
use verdict_oracle::write::{Rows, apply};
use verdict_oracle::{Oracle, Write};

use crate::error::{Error, Result};
use crate::flows::Flow;
use crate::moments::Truth;
use crate::per_side::{PerSide, SIDES};

/// Writes before each window.
const BEFORE: usize = 8;

/// Writes while it is open: each into another conversation or author, so that a page has one of
/// two states, however many statements read it.
const AMID: usize = 4;

/// The random stream of what is written.
const STREAM: u64 = 1 << 32;

/// What was written to either side and not taken back yet.
#[derive(Debug)]
pub(crate) struct Changes {
    truth: Truth,
    /// The service's databases, where there is access to them.
    databases: Option<PerSide<PgPool>>,
    made: PerSide<Mutex<Vec<Write>>>,
    /// What will be written in the middle of the next window.
    planned: Mutex<Option<Planned>>,
    random: Mutex<ChaCha8Rng>,
}

impl Changes {
    /// Of a service with these databases, none of which is written to when there is no access.
    pub fn new(truth: &Truth, databases: Option<PerSide<PgPool>>, seed: u64) -> Self {
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
        match (&self.databases, flow.keeper()) {
            (None, _) => "nothing else written there meanwhile, since its databases are out of \
                          reach, so that a stale answer may pass"
                .to_owned(),
            (Some(_), None) => {
                format!("{BEFORE} writes into it before each window and {AMID} in the middle")
            }
            (Some(_), Some(_)) => format!("{BEFORE} messages of others before each window"),
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
        let world = (&*self.truth.oracle, &HashSet::new());
        let before = Planned::draw(world, flow, (BEFORE, false), &mut lock(&self.random));
        // Drawn while nothing is timed. What a flow writes itself is not told apart from what is
        // written beside it.
        let amid = flow.keeper().is_none().then(|| {
            let after = (&before.oracle, &before.changed);
            Planned::draw(after, flow, (AMID, true), &mut lock(&self.random))
        });
        *lock(&self.planned) = amid;
        let (pool, moments) = (databases.of(side), self.truth.of(side));
        moments.begin(before.oracle, before.changed);
        self.undo(side, pool).await?;
        self.make(side, pool, before.writes).await?;
        moments.settle();
        Ok(())
    }

    /// Writes to a side at an instant of a window, while requests to it are on their way.
    ///
    /// # Errors
    /// When the database refuses, or is away.
    pub async fn amid(&self, side: Side, at: Instant) -> Result<()> {
        let planned = lock(&self.planned).take();
        let (Some(databases), Some(planned)) = (&self.databases, planned) else {
            return Ok(());
        };
        tokio::time::sleep_until(at.into()).await;
        let moments = self.truth.of(side);
        moments.begin(planned.oracle, planned.changed);
        self.make(side, databases.of(side), planned.writes).await?;
        moments.settle();
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
            moments.begin(Oracle::clone(&self.truth.oracle), HashSet::new());
            taken = taken.and(self.undo(side, databases.of(side)).await);
            moments.settle();
        }
        taken
    }

    async fn make(&self, side: Side, pool: &PgPool, writes: Vec<Write>) -> Result<()> {
        for write in writes {
            // Noted before, since one that fails may have been made.
            lock(self.made.of(side)).push(write.clone());
            apply(pool, &write).await.map_err(Error::Database)?;
        }
        Ok(())
    }

    /// The last first, since a row may have been written to twice.
    async fn undo(&self, side: Side, pool: &PgPool) -> Result<()> {
        let made = std::mem::take(&mut *lock(self.made.of(side)));
        let mut undone = Ok(());
        for write in made.into_iter().rev() {
            let back = apply(pool, &write.back()).await;
            undone = undone.and(back.map_err(Error::Database));
        }
        undone
    }
}

/// Writes that are to come.
#[derive(Debug)]
struct Planned {
    writes: Vec<Write>,
    /// What is right after them.
    oracle: Oracle,
    /// The conversations and authors that are then not as the world has them.
    changed: HashSet<Uuid>,
}

impl Planned {
    /// Writes that come after others; `apart` when no two are to go into one conversation or
    /// author.
    fn draw(
        (after, already): (&Oracle, &HashSet<Uuid>),
        flow: &dyn Flow,
        (most, apart): (usize, bool),
        random: &mut ChaCha8Rng,
    ) -> Self {
        let mut planned = Self {
            writes: Vec::new(),
            oracle: after.clone(),
            changed: HashSet::new(),
        };
        for _ in 0..most {
            if let Some(write) = flow.change(&planned.oracle, random)
                && (planned.changed.insert(into(&write)) || !apart)
            {
                planned.oracle = planned.oracle.with(&write);
                planned.writes.push(write);
            }
        }
        planned.changed.extend(already);
        planned
    }
}

/// The conversation or the author that is written to.
fn into(write: &Write) -> Uuid {
    match &write.rows {
        Rows::Message { conversation, .. } => *conversation,
        Rows::Post { author, .. } => *author,
        Rows::Conversation(turn) => turn.either().map_or_else(Uuid::nil, |rows| rows.id),
        Rows::Author(turn) => turn.either().map_or_else(Uuid::nil, |rows| rows.id),
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
