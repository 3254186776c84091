//! What the tests share: one runtime, one set of engines.

use std::path::PathBuf;
use std::sync::LazyLock;

use futures_util::future::BoxFuture;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use verdict_engines::{Choice, Endpoints, Engines, Options, cache_dir};
use verdict_seed::{Scale, World, WorldSpec};
use verdict_service::{SideAddress, give_ground, migrate_all};
use verdict_store::{Connect, Store};

/// The runtime of all tests. Connections belong to the runtime that made them, and the
/// engines outlive each test.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    &RUNTIME
}

/// Embedded engines from the user's cache folder.
pub fn options() -> Options {
    Options {
        choice: Choice::Embedded,
        cache: cache_dir().expect("a cache folder"),
        host: PathBuf::from(env!("CARGO_BIN_EXE_verdict")),
        progress: indicatif::MultiProgress::new(),
    }
}

/// The smoke world.
pub fn world() -> World {
    World::new(WorldSpec {
        scale: Scale::Smoke,
        users: None,
        days: None,
        seed: 1,
    })
}

/// The engines of this test run, holding the smoke world, started by whoever asks first. They
/// end with the process.
pub async fn engines() -> &'static Engines {
    set_of_engines(0).await
}

/// How many sets of engines there are at most.
pub const SETS: usize = 2;

/// One of the sets: what takes names of its own on engines cannot be there twice on one of them.
pub async fn set_of_engines(set: usize) -> &'static Engines {
    static ENGINES: [OnceCell<Engines>; SETS] = [const { OnceCell::const_new() }; SETS];
    ENGINES[set]
        .get_or_init(async || {
            let (options, world) = (options(), world());
            Engines::with_world(&options, &world.spec().key(), async |engines| {
                verdict_seed::load(&world, engines, &options.progress).await?;
                Ok(())
            })
            .await
            .expect("engines with a world")
        })
        .await
}

/// Databases of a test's own: the world as it is today.
pub async fn clone(role: &str) -> SideAddress {
    let side = engines().await.sandbox(role).await.expect("a side");
    side.endpoints().into()
}

/// Databases of a test's own: the world as it is today, with what its feed stands on.
pub async fn grounded(role: &str) -> SideAddress {
    changed(role, |store| give_ground(store)).await
}

/// Databases of a test's own: the world with every fix.
pub async fn migrated(role: &str) -> SideAddress {
    changed(role, |store| migrate_all(store)).await
}

async fn changed(
    role: &str,
    change: impl for<'a> FnOnce(&'a Store) -> BoxFuture<'a, verdict_service::Result<()>>,
) -> SideAddress {
    let side = engines().await.sandbox(role).await.expect("a side");
    let store = on(side.endpoints(), &Connect::default()).await;
    change(&store).await.expect("the change");
    store.close().await;
    side.endpoints().into()
}

/// A store on databases of a test's own: the world as it is today.
pub async fn store(role: &str, how: &Connect) -> Store {
    let side = engines().await.sandbox(role).await.expect("a side");
    on(side.endpoints(), how).await
}

async fn on(endpoints: &Endpoints, how: &Connect) -> Store {
    Store::connect(
        &endpoints.postgres,
        &endpoints.clickhouse,
        &endpoints.redis,
        how,
    )
    .await
    .expect("a store")
}

/// One call of so many, at seeded places, goes wrong.
pub struct Chance {
    one_in: u64,
    /// The first calls, none of which does.
    pub spared: u64,
    pub random: ChaCha8Rng,
    pub calls: u64,
    place: u64,
    /// Of those that were due, the ones that could not be done yet.
    owed: u64,
    pub struck: u64,
}

impl Chance {
    pub fn new(one_in: u64, spared: u64) -> Self {
        Self {
            one_in,
            spared,
            random: ChaCha8Rng::seed_from_u64(one_in),
            calls: 0,
            place: 0,
            owed: 0,
            struck: 0,
        }
    }

    pub fn strikes(&mut self) -> bool {
        self.calls += 1;
        let Some(call) = self.calls.checked_sub(self.spared + 1) else {
            return false;
        };
        if call.is_multiple_of(self.one_in) {
            self.place = self.random.random_range(0..self.one_in);
        }
        self.owed += u64::from(call % self.one_in == self.place);
        if self.owed == 0 {
            return false;
        }
        self.owed -= 1;
        self.struck += 1;
        true
    }

    /// It could not be done this time: the next call is due.
    pub fn give_back(&mut self) {
        self.owed += 1;
        self.struck -= 1;
    }
}
