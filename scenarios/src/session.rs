//! Where a trial is held: a world, and two clones of it. `baseline` stays as today; `trial`
//! carries one variant's migration at a time.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgPool, query_scalar};
use verdict_audit::VariantName;
use verdict_engines::Engines;
use verdict_seed::World;

use crate::error::{Doing, Result};
use crate::hostile;

/// How thorough a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything, at every rung.
    Full,
    /// Fewer requests; latency of an item's first operation only, at three rungs.
    Quick,
}

/// The clone that stays as today.
const BASELINE: &str = "baseline";
/// The clone that one variant at a time is tried on.
const TRIAL: &str = "trial";

/// A world on engines, with the two sides of a trial.
#[derive(Debug)]
pub struct Session<'a> {
    engines: &'a Engines,
    world: &'a World,
    depth: Depth,
    baseline: Side,
    trial: Side,
}

#[derive(Debug)]
struct Side {
    options: PgConnectOptions,
    pool: PgPool,
}

impl<'a> Session<'a> {
    /// Makes the two clones, and adds the hostile rows to both.
    pub async fn open(engines: &'a Engines, world: &'a World, depth: Depth) -> Result<Self> {
        let baseline = Side::open(engines, world, BASELINE).await?;
        let trial = Side::open(engines, world, TRIAL).await?;
        Ok(Self {
            engines,
            world,
            depth,
            baseline,
            trial,
        })
    }

    /// The world.
    pub fn world(&self) -> &World {
        self.world
    }

    /// How thorough the trial is.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// How many requests of a kind are compared.
    pub fn sample_size(&self) -> usize {
        match self.depth {
            Depth::Full => 100,
            Depth::Quick => 20,
        }
    }

    /// Today's side.
    pub fn baseline(&self) -> &PgPool {
        &self.baseline.pool
    }

    /// The side on trial.
    pub fn trial(&self) -> &PgPool {
        &self.trial.pool
    }

    /// The side a variant runs on.
    pub fn side(&self, variant: &VariantName) -> &PgPool {
        match variant {
            VariantName::Baseline => self.baseline(),
            _ => self.trial(),
        }
    }

    /// How to connect to the side a variant runs on.
    pub(crate) fn options(&self, variant: &VariantName) -> &PgConnectOptions {
        match variant {
            VariantName::Baseline => &self.baseline.options,
            _ => &self.trial.options,
        }
    }

    /// A random stream of its own for each purpose, the same in every run on this world.
    pub fn rng(&self, purpose: &str) -> ChaCha8Rng {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.world.spec().seed.to_le_bytes());
        for (index, byte) in purpose.bytes().enumerate() {
            seed[8 + index % 24] ^= byte.rotate_left(index as u32 / 24);
        }
        ChaCha8Rng::from_seed(seed)
    }

    /// Applies a schema change to the side on trial, and brings its statistics and visibility
    /// up to date.
    pub(crate) async fn migrate(&self, statements: &'static str, touched: &[&str]) -> Result<()> {
        // The plans and types that connections have cached are of the schema before.
        let mut connection = self
            .trial
            .pool
            .acquire()
            .await
            .doing("connect to the side on trial")?;
        connection
            .execute(statements)
            .await
            .doing("migrate the side on trial")?;
        drop(connection);
        settle(&self.trial.pool, touched).await?;
        reset_connections(&self.trial.pool).await
    }

    /// Bytes of a table and its indexes on the side of a variant.
    pub(crate) async fn size(&self, variant: &VariantName, table: &str) -> Result<u64> {
        let bytes: i64 = query_scalar("SELECT pg_total_relation_size($1::regclass)")
            .bind(table)
            .fetch_one(self.side(variant))
            .await
            .doing("measure the size of a table")?;
        Ok(bytes.unsigned_abs())
    }

    /// Closes the connections and drops both clones.
    pub async fn close(self) -> Result<()> {
        self.baseline.pool.close().await;
        self.trial.pool.close().await;
        self.engines.drop_clone(BASELINE).await?;
        self.engines.drop_clone(TRIAL).await?;
        Ok(())
    }
}

impl Side {
    async fn open(engines: &Engines, world: &World, role: &str) -> Result<Self> {
        let database = engines.clone_world(role).await?;
        let options = engines.postgres(&database);
        let pool = PgPoolOptions::new()
            .connect_with(options.clone())
            .await
            .doing("connect to a clone of the world")?;
        hostile::add(&pool, world).await?;
        settle(
            &pool,
            &[
                "users",
                "conversations",
                "messages",
                "message_reactions",
                "message_attachments",
                "posts",
                "post_metadata",
            ],
        )
        .await?;
        Ok(Self { options, pool })
    }
}

/// Vacuums, freezes and analyses, so that no counted call finds work left over by another.
pub(crate) async fn settle(pool: &PgPool, tables: &[&str]) -> Result<()> {
    for table in tables {
        // Table names are this crate's constants.
        let statement = format!("VACUUM (FREEZE, ANALYZE) {table}");
        pool.execute(AssertSqlSafe(statement))
            .await
            .doing("vacuum the side on trial")?;
    }
    Ok(())
}

/// Makes every idle connection forget its prepared statements.
async fn reset_connections(pool: &PgPool) -> Result<()> {
    let mut connections = Vec::new();
    while let Some(connection) = pool.try_acquire() {
        connections.push(connection);
    }
    for connection in connections {
        connection
            .close()
            .await
            .doing("close a connection to the side on trial")?;
    }
    Ok(())
}
