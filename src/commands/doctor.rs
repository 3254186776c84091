//! `verdict doctor`: which engines would be used and why, and what is missing.

use std::process::ExitCode;

use anyhow::Context;
use tokio::runtime::Runtime;

use crate::cli::EnginesArgs;
use crate::progress::Display;
use crate::{exit, world};

pub(super) fn run(args: &EnginesArgs) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    let display = Display::new();
    let options = world::options(args, std::env::current_exe()?, &display)?;
    let doctor = runtime.block_on(verdict_engines::doctor(&options));
    display.finish();
    println!("{doctor}");
    Ok(ExitCode::from(if doctor.is_ready() {
        exit::MET
    } else {
        exit::UNAVAILABLE
    }))
}
