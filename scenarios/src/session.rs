//! Where a trial is held: a world, and two sides of it in every engine. `baseline` stays as
//! today; `trial` carries one variant's change at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::query_scalar;
use verdict_audit::evidence::Zero;
use verdict_audit::{At, VariantName};
use verdict_engines::{Endpoints, Engines, Line, Rewrite};
use verdict_oracle::{Hostile, Oracle};
use verdict_seed::{Cut, World};
use verdict_store::fault::Doing;
use verdict_store::settle::settle;
use verdict_store::{Change, Connect, Down, Engine, Fault, Store, Table, change};

use crate::error::Result;
use crate::hostile;
use crate::standing::{Standing, alone, reach};

/// How thorough a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything, at every rung.
    Full,
    /// Fewer requests; latency only where a claim is judged.
    Quick,
}

impl Depth {
    /// How many answers of an operation are held to the oracle: a fault in one call of fifty is
    /// missed by 300 of them once in 400 times.
    pub fn answers(self) -> u64 {
        match self {
            Self::Full => 300,
            Self::Quick => 60,
        }
    }
}

/// Both sides.
pub const ROLES: [Role; 2] = [Role::Baseline, Role::Trial];

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Stays as today.
    Baseline,
    /// Carries one variant's change at a time.
    Trial,
}

impl Role {
    /// What its databases are named for.
    fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Trial => "trial",
        }
    }

    /// The side that a variant runs on.
    pub fn of(variant: &VariantName) -> Self {
        match variant {
            VariantName::Baseline => Self::Baseline,
            _ => Self::Trial,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A world on engines, with the two sides of a trial.
#[derive(Debug)]
pub struct Session<'a> {
    engines: &'a Engines,
    oracle: Arc<Oracle>,
    depth: Depth,
    baseline: Mutex<Standing>,
    trial: Mutex<Standing>,
    /// The parts of the world that both sides have in ClickHouse beside the whole.
    cuts: Mutex<Vec<Cut>>,
    /// How much longer today's call takes on the baseline side than on the other one, by item
    /// and operation: two copies of one database are not alike.
    zeros: Mutex<Vec<(String, Copies)>>,
    /// See [`Self::spread`].
    spread: Mutex<f64>,
}

/// What two copies of a database differ by anyway, in one operation of today.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copies {
    /// Where it was seen.
    pub at: At,
    /// Of the typical call.
    pub typical: Zero,
    /// Of the 95th percentile.
    pub p95: Option<Zero>,
}

impl<'a> Session<'a> {
    /// Makes the two sides.
    ///
    /// # Errors
    /// When an engine refuses, or is away.
    pub async fn open(engines: &'a Engines, world: &World, depth: Depth) -> Result<Self> {
        Ok(Self {
            baseline: Mutex::new(Standing::open(engines, Role::Baseline.name()).await?),
            trial: Mutex::new(Standing::open(engines, Role::Trial.name()).await?),
            engines,
            oracle: Arc::new(Oracle::new(world)),
            depth,
            cuts: Mutex::default(),
            zeros: Mutex::default(),
            spread: Mutex::default(),
        })
    }

    /// The world.
    pub fn world(&self) -> &World {
        self.oracle.world()
    }

    /// What is right in this world.
    pub fn oracle(&self) -> &Arc<Oracle> {
        &self.oracle
    }

    /// How thorough the trial is.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// How many answers of an operation are held to the oracle.
    pub fn answers(&self) -> u64 {
        self.depth.answers()
    }

    fn standing(&self, role: Role) -> Standing {
        self.slot(role)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn slot(&self, role: Role) -> &Mutex<Standing> {
        match role {
            Role::Baseline => &self.baseline,
            Role::Trial => &self.trial,
        }
    }

    /// Puts another standing in the place of a side's.
    fn replace(&self, role: Role, standing: Standing) {
        *self
            .slot(role)
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = standing;
    }

    /// The store of the side that a variant runs on.
    pub fn store(&self, variant: &VariantName) -> Store {
        self.standing(Role::of(variant)).store
    }

    /// The smallest part of the world in a variant's ClickHouse that has so many events at least,
    /// with what is right of it; the whole where no part has.
    pub(crate) fn part(&self, variant: &VariantName, least: u64) -> (Store, Oracle) {
        let whole = self.store(variant);
        let part = whole.rungs().find(|events| *events >= least);
        let part = part.and_then(|events| Some((whole.rung(events)?, self.oracle.cut(events)?)));
        part.unwrap_or_else(|| (whole, Oracle::clone(&self.oracle)))
    }

    /// The store of a side.
    pub(crate) fn store_of(&self, role: Role) -> Store {
        self.standing(role).store
    }

    /// A line to a side, with half of the round trip's delay either way.
    pub(crate) fn line(&self, role: Role, at: At) -> Result<Line> {
        let one_way = Duration::from_micros(at.round_trip_us.into()) / 2;
        Ok(Line::open(
            self.standing(role).sandbox.endpoints(),
            one_way,
        )?)
    }

    /// A line to a side on which every statement that goes to PostgreSQL is seen, and may be
    /// changed, and every query that goes to ClickHouse where somebody looks at queries.
    ///
    /// # Errors
    /// When no relay is to be had.
    pub fn rewriting(&self, role: Role, rewrite: Rewrite) -> Result<Line> {
        Ok(Line::rewriting(
            self.standing(role).sandbox.endpoints(),
            rewrite,
        )?)
    }

    /// Puts another store in the place of a side's, and gives the one that was there.
    pub(crate) fn exchange(&self, role: Role, store: Store) -> Store {
        let mut standing = self
            .slot(role)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut standing.store, store)
    }

    /// A store of its own on a side, by way of a line where there is one; `how` tells how it is
    /// connected from how the side is.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached.
    pub async fn connect(
        &self,
        role: Role,
        line: Option<&Line>,
        how: impl FnOnce(Connect) -> Connect,
    ) -> Result<Store> {
        let standing = self.standing(role);
        let endpoints = line.map_or_else(|| standing.sandbox.endpoints(), Line::endpoints);
        Ok(reach(endpoints, &how(standing.connect())).await?)
    }

    /// A store of its own on a side, connected as the variant on it is, or as today is.
    pub(crate) async fn seat(
        &self,
        role: Role,
        today: bool,
        line: Option<&Line>,
        how: impl FnOnce(Connect) -> Connect,
    ) -> std::result::Result<Store, verdict_store::Error> {
        let standing = self.standing(role);
        let endpoints = line.map_or_else(|| standing.sandbox.endpoints(), Line::endpoints);
        let connect = if today {
            standing.connect_as_today()
        } else {
            standing.connect()
        };
        reach(endpoints, &how(connect)).await
    }

    /// What today's call differs by on the two sides before anything is changed, if it is known.
    /// As it was seen at this place, or for a rung at the one where it was seen first; with more
    /// callers or on a slower line calls differ by something else.
    pub(crate) fn zero(&self, of: &str, at: At) -> Option<Copies> {
        let zeros = self.zeros();
        let of_it = || zeros.iter().filter(|(name, _)| name == of);
        let here = of_it().find(|(_, zero)| zero.at == at);
        let elsewhere = || of_it().find(|_| at.is_rung());
        here.or_else(elsewhere).map(|(_, zero)| *zero)
    }

    /// Forgets all of it: rows lie elsewhere.
    pub(crate) fn forget_zeros(&self) {
        self.zeros().clear();
    }

    /// Notes it, until a side is made anew.
    pub(crate) fn note_zero(&self, of: String, zero: Copies) {
        let apart = zero.typical.apart();
        let mut spread = self.spread.lock().unwrap_or_else(PoisonError::into_inner);
        *spread = spread.max(apart);
        self.zeros().push((of, zero));
    }

    /// The greatest of these differences in all of the session, those of copies that are gone too.
    pub(crate) fn spread(&self) -> f64 {
        *self.spread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn zeros(&self) -> MutexGuard<'_, Vec<(String, Copies)>> {
        self.zeros.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a side's engines answer.
    pub fn endpoints(&self, role: Role) -> Endpoints {
        self.standing(role).sandbox.endpoints().clone()
    }

    /// A random stream of its own for each purpose, the same in every run on this world.
    pub fn random(&self, purpose: &str) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed(purpose))
    }

    /// The seed of [`Self::random`].
    pub(crate) fn seed(&self, purpose: &str) -> u64 {
        // FNV-1a, for a spread that does not change with the compiler's hasher.
        purpose.bytes().fold(
            self.world().spec().seed ^ 0xcbf2_9ce4_8422_2325,
            |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3),
        )
    }

    /// Applies a change to a side and brings the touched tables to rest; the time that the
    /// change itself took. The side is connected anew, as plans and types that connections have
    /// cached are of the schema before.
    ///
    /// # Errors
    /// [`Fault::Variant`] when an engine refuses a step, in its own words; anything else is
    /// [`Fault::Harness`]. Either way the side has to be given back by [`Self::renew`].
    pub async fn apply(&self, role: Role, change: &Change) -> std::result::Result<Duration, Fault> {
        let mut standing = self.standing(role);
        let started = Instant::now();
        change::run(change.up, &standing.store).await?;
        let took = started.elapsed();
        change::run_on_rungs(change, change.up, &standing.store).await?;
        standing.applied.push(*change);
        Ok(self
            .settled(role, standing, change.touches)
            .await
            .map(|()| took)?)
    }

    /// Takes the change that was applied last back from a side.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] when a step of its own is refused: the side has to be given back by
    /// [`Self::renew`]. Any other is the harness's.
    pub async fn take_back(&self, role: Role, change: &Change) -> Result<()> {
        let mut standing = self.standing(role);
        standing.applied.pop();
        match change.down {
            Down::Steps(steps) => {
                change::run(steps, &standing.store).await?;
                change::run_on_rungs(change, steps, &standing.store).await?;
                self.settled(role, standing, change.touches).await?;
                Ok(())
            }
            Down::Renew => {
                self.replace(role, standing);
                self.give_back(role, change.touches).await
            }
        }
    }

    /// Brings tables to rest that were written, and connects a side anew: connections that end
    /// tell the statistics that they still hold.
    pub(crate) async fn rest(&self, role: Role, tables: &BTreeSet<Table>) -> Result<()> {
        let tables: Vec<Table> = tables.iter().copied().collect();
        self.settled(role, self.standing(role), &tables).await?;
        Ok(alone(&self.store_of(role)).await?)
    }

    /// Brings tables to rest and connects a side anew.
    async fn settled(
        &self,
        role: Role,
        mut standing: Standing,
        tables: &[Table],
    ) -> std::result::Result<(), verdict_store::Error> {
        settle(&standing.store.postgres, tables).await?;
        let store = reach(standing.sandbox.endpoints(), &standing.connect()).await?;
        let old = std::mem::replace(&mut standing.store, store);
        self.replace(role, standing);
        old.close().await;
        Ok(())
    }

    /// Gives a whole side back as the world has it, with the hostile rows and without a change.
    ///
    /// # Errors
    /// When an engine refuses, or is away.
    pub async fn renew(&self, role: Role) -> Result<()> {
        self.standing(role).store.close().await;
        let standing = Standing::open(self.engines, role.name()).await?;
        self.replace(role, standing);
        self.cut_side(role).await?;
        self.zeros().clear();
        for hostile in self.oracle.added() {
            self.add(role, hostile).await?;
        }
        Ok(())
    }

    /// Gives tables back as the world has them, with the hostile rows, and applies the changes
    /// that stand on the side to them again. PostgreSQL has its databases copied whole, so one
    /// of its tables takes all of the side along; a change that touches one of the tables takes
    /// along what else it touches.
    ///
    /// # Errors
    /// When an engine refuses, or is away.
    pub async fn give_back(&self, role: Role, tables: &[Table]) -> Result<()> {
        let mut standing = self.standing(role);
        let applied = std::mem::take(&mut standing.applied);
        let mut tables = tables.to_vec();
        tables.extend(applied.iter().flat_map(|change| change.touches));
        if tables.iter().any(|table| table.engine == Engine::Postgres) {
            self.renew(role).await?;
        } else {
            let names: Vec<&str> = tables
                .iter()
                .filter(|table| table.engine == Engine::ClickHouse)
                .map(|table| table.name)
                .collect();
            if !names.is_empty() {
                self.engines.renew_clickhouse(role.name(), &names).await?;
            }
            if tables.iter().any(|table| table.engine == Engine::Redis) {
                self.engines.renew_redis(role.name()).await?;
            }
            self.settled(role, standing, &[]).await?;
        }
        for change in &applied {
            self.apply(role, change)
                .await
                .map_err(|fault| match fault {
                    Fault::Harness(error) => error,
                    // It was applied before, to the same tables.
                    Fault::Variant(refusal) => {
                        verdict_store::Error::NotRenewed(refusal.to_string())
                    }
                })?;
        }
        Ok(())
    }

    /// Bytes of a table and its indexes on a side.
    pub(crate) async fn size(&self, role: Role, table: Table) -> Result<u64> {
        let store = self.standing(role).store;
        let bytes = match table.engine {
            Engine::Postgres => {
                // Of one that is divided, its parts have all.
                let bytes: i64 = query_scalar(
                    "SELECT pg_total_relation_size(whole) + COALESCE((
                        SELECT SUM(pg_total_relation_size(inhrelid))
                        FROM pg_inherits
                        WHERE inhparent = whole
                    ), 0)::bigint
                    FROM (SELECT QUOTE_IDENT($1)::regclass AS whole) AS named",
                )
                .bind(table.name)
                .fetch_one(&store.postgres)
                .await
                .doing("measure the size of a table")?;
                bytes.unsigned_abs()
            }
            Engine::ClickHouse => store
                .clickhouse
                .query(
                    // What a view keeps is in a hidden table of its own.
                    "SELECT sum(bytes_on_disk) FROM system.parts
                    WHERE active
                      AND database = currentDatabase()
                      AND table IN (
                          SELECT arrayJoin([name, concat('.inner_id.', toString(uuid))])
                          FROM system.tables
                          WHERE database = currentDatabase() AND name = ?
                      )",
                )
                .bind(table.name)
                .fetch_one::<u64>()
                .await
                .doing("measure the size of a table")?,
            Engine::Redis => 0,
        };
        Ok(bytes)
    }

    /// Adds hostile rows to both sides, unless they are there.
    ///
    /// # Errors
    /// When an engine refuses, or is away.
    pub async fn add_hostile(&self, rows: &[Hostile]) -> Result<()> {
        for hostile in rows.iter().filter(|hostile| !self.oracle.has(**hostile)) {
            for role in ROLES {
                self.add(role, *hostile).await?;
            }
            self.oracle.add(*hostile);
        }
        Ok(())
    }

    async fn add(
        &self,
        role: Role,
        hostile: Hostile,
    ) -> std::result::Result<(), verdict_store::Error> {
        let store = self.standing(role).store;
        let touched = hostile::add(&store, self.world(), hostile).await?;
        settle(&store.postgres, touched).await
    }

    /// Gives both sides the parts of the world that are below the whole, each in a ClickHouse
    /// database of its own, for operations whose ladder is of events.
    ///
    /// # Errors
    /// When ClickHouse refuses, or is away.
    pub async fn cut(&self) -> Result<()> {
        let mut cuts = self.world().cuts();
        cuts.retain(|cut| !cut.is_whole());
        *self.cuts() = cuts;
        for role in ROLES {
            self.cut_side(role).await?;
        }
        Ok(())
    }

    /// Takes them away.
    ///
    /// # Errors
    /// When ClickHouse refuses, or is away.
    pub async fn uncut(&self) -> Result<()> {
        self.cuts().clear();
        for role in ROLES {
            self.cut_side(role).await?;
        }
        Ok(())
    }

    /// Makes a part of the world on a side anew, as it was cut: with the changes that stand on the
    /// side, or as `today` has it without.
    ///
    /// # Errors
    /// When ClickHouse refuses, or is away.
    pub async fn recut(&self, role: Role, rung: u64, today: bool) -> Result<()> {
        let Some(cut) = self.world().cut(rung) else {
            return Err(verdict_store::Error::NoSuchRung(rung).into());
        };
        let (part, standing) = (rung.to_string(), self.standing(role));
        self.engines.cut(role.name(), &part, &cut.rows()).await?;
        let made_anew = standing.store.rung(rung).filter(|_| !today);
        if let Some(store) = made_anew {
            for change in &standing.applied {
                change::run_on_rung(change, change.up, &store).await?;
            }
        }
        Ok(())
    }

    fn cuts(&self) -> MutexGuard<'_, Vec<Cut>> {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a side without a change the parts of the world that there are to be.
    async fn cut_side(&self, role: Role) -> Result<()> {
        let cuts = self.cuts().clone();
        let mut standing = self.standing(role);
        if cuts.is_empty() && standing.rungs.is_empty() {
            return Ok(());
        }
        self.engines.uncut(role.name()).await?;
        standing.rungs.clear();
        for cut in cuts {
            let part = cut.events.to_string();
            let database = self.engines.cut(role.name(), &part, &cut.rows()).await?;
            standing.rungs.push((cut.events, database));
        }
        Ok(self.settled(role, standing, &[]).await?)
    }

    /// Closes the connections and drops both sides.
    ///
    /// # Errors
    /// When an engine refuses, or is away.
    pub async fn close(self) -> Result<()> {
        for role in ROLES {
            self.standing(role).store.close().await;
            self.engines.drop_sandbox(role.name()).await?;
        }
        Ok(())
    }
}
