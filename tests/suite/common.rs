//! What the tests share: one runtime, one set of engines.

use std::path::PathBuf;
use std::sync::LazyLock;

use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use verdict_engines::{Choice, Engines, Options, cache_dir};

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

/// The engines of this test run, started by whoever asks first. They end with the process.
pub async fn engines() -> &'static Engines {
    static ENGINES: OnceCell<Engines> = OnceCell::const_new();
    ENGINES
        .get_or_init(async || Engines::start(&options()).await.expect("embedded engines"))
        .await
}
