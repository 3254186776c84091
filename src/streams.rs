//! Standard output and error that nobody takes any more: a pipe whose reader has gone, a full
//! disk, a terminal that was closed. Printing panics then, wherever it is done.

use std::io::{Write, stderr};
use std::panic::{set_hook, take_hook};

use verdict_audit::Exit;

/// As shells say it of a program that a broken pipe has ended.
const BROKEN_PIPE: i32 = 141;

/// Ends the process where it cannot print: quietly when its reader has gone, else with one line.
/// What it started ends with it.
pub fn guard() {
    let usual = take_hook();
    set_hook(Box::new(move |panicked| {
        let words = panicked.payload_as_str().unwrap_or_default();
        let Some(failed) = words.strip_prefix("failed printing to ") else {
            return usual(panicked);
        };
        if failed.contains("Broken pipe") {
            std::process::exit(BROKEN_PIPE);
        }
        if let Some(reason) = failed.strip_prefix("stdout: ") {
            let words = format!("verdict: standard output cannot be written: {reason}");
            // It may be gone as well.
            let _ = writeln!(stderr(), "{words}");
        }
        std::process::exit(Exit::Io.code().into());
    }));
}
