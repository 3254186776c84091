//! `verdict clean`: what Verdict keeps, removed.

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::cli::EnginesArgs;
use crate::progress::Display;
use crate::world;

pub(super) fn run(args: &EnginesArgs) -> crate::error::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let display = Display::new();
    let options = world::options(args, std::env::current_exe()?, &display)?;
    let cleaned = runtime.block_on(verdict_engines::clean(&options))?;
    display.finish();
    println!("{cleaned}");
    Ok(ExitCode::SUCCESS)
}
