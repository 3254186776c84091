//! The launcher: prepares a process for being an engine, then becomes it.
//!
//! It is a program of its own because what it does must happen between the fork and the
//! exec, in a process with one thread.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};

use crate::commands::NAMESPACE;

/// The user that root becomes in the namespace; it is `nobody` nearly everywhere.
const NOBODY: u32 = 65534;

/// Runs `PARENT SIGNAL [--namespace] -- PROGRAM ARGS...`; returns only if it failed.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Err(error) = become_engine(args);
    eprintln!("verdict: {error}");
    ExitCode::FAILURE
}

fn become_engine(args: impl Iterator<Item = OsString>) -> Result<std::convert::Infallible, String> {
    let mut args = args.peekable();
    let mut number = || {
        args.next()
            .and_then(|arg| arg.to_str()?.parse::<i32>().ok())
            .ok_or("the launcher is for Verdict's own use")
    };
    let (parent, signal) = (number()?, number()?);
    let signal = Signal::try_from(signal).map_err(|error| error.to_string())?;
    if args.next_if(|arg| arg == NAMESPACE).is_some() {
        leave_root()?;
    }
    let mut args = args.skip_while(|arg| arg == "--");
    let program = args.next().ok_or("the launcher was given no program")?;

    // An engine signals its process group on some paths, and a terminal signals its own.
    nix::unistd::setsid().map_err(|error| format!("no session of its own: {error}"))?;
    // After the namespace: a change of credentials clears it.
    set_pdeathsig(signal).map_err(|error| format!("no parent-death signal: {error}"))?;
    if nix::unistd::getppid().as_raw() != parent {
        return Err("the keeper ended before the engine began".to_owned());
    }
    // The keeper blocks signals that an engine must get.
    SigSet::all()
        .thread_unblock()
        .map_err(|error| format!("signals stay blocked: {error}"))?;
    let error = Command::new(&program)
        .args(args)
        // Embedded ClickHouse takes its time zone from here, whatever its configuration says.
        .env("TZ", "UTC")
        .exec();
    Err(format!("{} does not run: {error}", program.display()))
}

/// Goes into a user namespace in which this process is `nobody`, and outside of which it is
/// still who it was: PostgreSQL refuses to be root, and its files need no other owner.
fn leave_root() -> Result<(), String> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let forbidden = |error: &dyn std::fmt::Display| {
        format!(
            "PostgreSQL does not run as root, and this machine forbids the user namespace in which it would not be root ({error}): \
             run Verdict as an ordinary user, or allow user namespaces (sysctl user.max_user_namespaces), or use --engines external"
        )
    };
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| forbidden(&error))?;
    for (file, map) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{NOBODY} {uid} 1")),
        ("gid_map", format!("{NOBODY} {gid} 1")),
    ] {
        std::fs::write(format!("/proc/self/{file}"), map).map_err(|error| forbidden(&error))?;
    }
    Ok(())
}
