//! A command for tests: starts engines, says which, and holds them until it is ended.

use std::process::ExitCode;

use crate::{Choice, Engines, Options, cache_dir};

/// Starts engines as VERDICT_ENGINES says (default: embedded), prints the run's id, and waits.
pub(crate) fn run() -> ExitCode {
    let work = async {
        let choice =
            std::env::var("VERDICT_ENGINES").map_or(Ok(Choice::Embedded), |word| word.parse())?;
        let host =
            std::env::current_exe().map_err(crate::Error::io("finding", "the verdict program"))?;
        let options = Options {
            choice,
            cache: cache_dir()?,
            host,
            progress: indicatif::MultiProgress::new(),
        };
        let engines = Engines::start(&options).await?;
        println!("{}", engines.run_id());
        std::future::pending::<Result<(), crate::Error>>().await
    };
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(crate::Error::io("making", "a runtime"))
        .and_then(|runtime| runtime.block_on(work));
    if let Err(error) = result {
        eprintln!("verdict: failed to hold engines: {error}");
    }
    ExitCode::FAILURE
}
