//! The hidden commands of the `verdict` program: processes that own engines.

use std::ffi::OsString;
use std::process::ExitCode;

/// The process that owns a run's engines.
pub(crate) const KEEPER: &str = "engine-keeper";
/// The process that becomes an engine.
pub(crate) const LAUNCH: &str = "engine-launch";
/// The process that hosts ClickHouse's library.
pub(crate) const CLICKHOUSE: &str = "engine-clickhouse";
/// A command for tests: holds engines until it is ended.
pub(crate) const HOLD: &str = "engine-hold";
/// The launcher's flag for a user namespace.
pub(crate) const NAMESPACE: &str = "--namespace";

/// Runs a hidden command if `args` (the program's own, its name first) name one; `None`
/// means that the arguments are the user's. To be called first thing in `main`.
pub fn dispatch(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    match args.next()?.to_str()? {
        KEEPER => Some(crate::keeper::run()),
        LAUNCH => Some(crate::launch::run(args)),
        CLICKHOUSE => Some(crate::clickhouse_host::run(args)),
        HOLD => Some(crate::hold::run(args)),
        _ => None,
    }
}
