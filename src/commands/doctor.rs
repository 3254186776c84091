//! `verdict doctor`: which engines would be used and why, and what is missing.

use std::process::ExitCode;

use tokio::runtime::Runtime;
use verdict_audit::Exit;

use crate::cli::DoctorArgs;
use crate::progress::Display;
use crate::{exit, world};

pub(super) fn run(args: &DoctorArgs) -> crate::error::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let display = Display::new();
    let options = world::options(&args.engines, std::env::current_exe()?, &display)?;
    let doctor = runtime.block_on(verdict_engines::doctor(&options, args.worlds));
    display.finish();
    println!("{doctor}");
    Ok(exit::code(if doctor.is_ready() {
        Exit::Met
    } else {
        Exit::Unavailable
    }))
}
