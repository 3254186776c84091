//! The hidden commands of the `verdict` program: processes that own engines.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::commands::{CLICKHOUSE_HOST, HOLD, KEEPER, LAUNCH};

/// Runs a hidden command if `args` (the program's own, its name first) name one; `None`
/// means that the arguments are the user's. To be called first thing in `main`.
pub fn dispatch(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    match args.next()?.to_str()? {
        KEEPER => Some(crate::keeper::run()),
        LAUNCH => Some(crate::launch::run(args)),
        CLICKHOUSE_HOST => Some(crate::clickhouse_host::run(args)),
        HOLD => Some(crate::hold::run(args)),
        _ => None,
    }
}
