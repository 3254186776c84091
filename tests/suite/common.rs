//! What the tests share: one runtime, one set of engines.

use std::path::PathBuf;
use std::sync::LazyLock;

use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use verdict_engines::{Choice, Engines, Options, cache_dir};
use verdict_seed::{Scale, World, WorldSpec};
use verdict_service::migrate_all;
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
    static ENGINES: OnceCell<Engines> = OnceCell::const_new();
    ENGINES
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

/// A database of a test's own: the world as it is today.
pub async fn clone(role: &str) -> PgConnectOptions {
    let side = engines().await.sandbox(role).await.expect("a side");
    side.endpoints().postgres.clone()
}

/// A database of a test's own: the world with every fix.
pub async fn migrated(role: &str) -> PgConnectOptions {
    let side = engines().await.sandbox(role).await.expect("a side");
    let endpoints = side.endpoints();
    let store = Store::connect(
        &endpoints.postgres,
        &endpoints.clickhouse,
        &endpoints.redis,
        &Connect::default(),
    )
    .await
    .expect("a store");
    migrate_all(&store).await.expect("every item's fix");
    store.close().await;
    endpoints.postgres.clone()
}
