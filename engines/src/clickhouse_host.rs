//! ClickHouse in a process of its own: the engine's library, serving HTTP.
//!
//! The library has a command-line entry. A query on it opens the HTTP interface, then waits
//! for the end of standard input, then closes the interface and flushes the logs; so closing
//! the pipe behind standard input is a clean stop.
#![expect(
    unsafe_code,
    reason = "a C library is loaded and called; every such call is in this file"
)]

use std::ffi::{CString, OsString, c_char, c_int, c_void};
use std::process::ExitCode;

use libloading::Library;
use nix::sys::signal::{SigSet, Signal};

const SERVE: &str = "SYSTEM START LISTEN HTTP; \
    SELECT count() FROM file('stdin', 'LineAsString', 'l String') FORMAT Null; \
    SYSTEM STOP LISTEN HTTP; \
    SYSTEM FLUSH LOGS";

/// Serves `LIBRARY CONFIG` until a signal or the end of the parent; without a configuration it
/// only answers a query, which tells whether the library runs.
pub(crate) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(library) = args.next() else {
        eprintln!("verdict: the ClickHouse host is for Verdict's own use");
        return ExitCode::FAILURE;
    };
    let answered = match args.next() {
        Some(config) => serve(&library, &config),
        None => query(&library, &["clickhouse", "--query", "SELECT 1 FORMAT Null"]),
    };
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("verdict: ClickHouse: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(library: &OsString, config: &OsString) -> Result<(), String> {
    // Before the library starts threads, so that they all inherit the mask and only the
    // waiting thread gets the signal.
    let signals = [Signal::SIGTERM, Signal::SIGINT]
        .into_iter()
        .collect::<SigSet>();
    signals
        .thread_block()
        .map_err(|error| format!("cannot block signals: {error}"))?;
    let (read, write) =
        nix::unistd::pipe().map_err(|error| format!("cannot make a pipe: {error}"))?;
    nix::unistd::dup2_stdin(&read).map_err(|error| format!("cannot use the pipe: {error}"))?;
    drop(read);
    std::thread::spawn(move || {
        let _ = signals.wait();
        drop(write);
    });

    let config = config
        .to_str()
        .ok_or("the configuration's path is not UTF-8")?;
    let config = format!("--config-file={config}");
    query(
        library,
        &[
            "clickhouse",
            &config,
            "--log-level=warning",
            "--progress=off",
            "--query",
            SERVE,
        ],
    )
}

/// Runs the library's command line.
fn query(library: &OsString, args: &[&str]) -> Result<(), String> {
    let args = args
        .iter()
        .map(|arg| CString::new(*arg))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let mut pointers: Vec<*mut c_char> = args.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
    let count = c_int::try_from(pointers.len()).map_err(|error| error.to_string())?;
    // As C's main has it.
    pointers.push(std::ptr::null_mut());

    // SAFETY: the file is the pinned package's, verified by checksum, and its initialisers
    // are meant to run in any process. It is never unloaded: it leaves threads behind.
    let library = std::mem::ManuallyDrop::new(
        unsafe { Library::new(library) }.map_err(|error| error.to_string())?,
    );
    // SAFETY: the types are those of the library's header (chdb.h) at the pinned version;
    // `pointers` and `args` outlive the call, and the returned pointer is only passed back.
    let error = unsafe {
        let own_signals =
            library.get::<unsafe extern "C" fn(c_int)>(b"chdb_set_signal_handlers_enabled\0");
        own_signals.map_err(|error| error.to_string())?(0);
        let query = library
            .get::<unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void>(
                b"chdb_query_cmdline\0",
            )
            .map_err(|error| error.to_string())?;
        let message = library
            .get::<unsafe extern "C" fn(*mut c_void) -> *const c_char>(b"chdb_result_error\0")
            .map_err(|error| error.to_string())?;
        let result = query(count, pointers.as_mut_ptr());
        let words = if result.is_null() {
            std::ptr::null()
        } else {
            message(result)
        };
        (!words.is_null()).then(|| {
            std::ffi::CStr::from_ptr(words)
                .to_string_lossy()
                .into_owned()
        })
    };
    match error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
