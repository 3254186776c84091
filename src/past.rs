//! Earlier runs: where they are kept, and what one of them was.

use std::path::Path;

use verdict_audit::evidence::Results;
use verdict_history::{Comparison, Folder, Record};
use verdict_reports::{comparison_text, json};

use crate::paths;

/// Where runs are kept: the folder in question, or one beside their results.
pub fn folder(output: &Path, named: Option<&Path>) -> Folder {
    Folder::new(named.map_or_else(|| paths::history(output), Path::to_owned))
}

/// A run, from its results or from a file of the history.
///
/// # Errors
/// When the file is neither.
pub fn read(file: &Path) -> crate::error::Result<Record> {
    let results = match json::read_older(file) {
        Ok(results) => return Ok(Record::of(&results)),
        Err(error) => error,
    };
    verdict_history::folder::read(file).map_err(|_| results.into())
}

/// Keeps a run, and says what it came to since the last of its kind; nothing where there is none.
///
/// # Errors
/// When the history cannot be read or written.
pub fn keep(results: &Results, output: &Path) -> crate::error::Result<Option<String>> {
    let named = std::env::var_os("VERDICT_HISTORY");
    let folder = folder(output, named.as_deref().map(Path::new));
    let record = Record::of(results).kept();
    let before = folder.last_before(&record)?;
    folder.add(&record)?;
    Ok(before.map(|before| {
        let comparison = Comparison::of(&before, &record);
        comparison_text::since(&before, &comparison)
    }))
}
